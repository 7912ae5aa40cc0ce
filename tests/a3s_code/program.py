"""Runs a3s-code in its own environment: reads commands as a JSON array from stdin, and writes their results as one.

A command is ``[action, id, argument]``: ``start`` or ``resume`` a session and keep it, ``send`` it a prompt, ``verify`` with a shell
command, ``save`` it, or return its ``history``. A result is ``{"value": …}`` or ``{"error": "…"}``.
"""

from __future__ import annotations

import json
import sys

from a3s_code import Agent, FileSessionStore, PermissionPolicy, SessionOptions

CONFIG = """
default_model = "openai/fake"
providers "openai" {
  apiKey = "none"
  baseUrl = "%s"
  models "fake" {
    name = "fake"
  }
}
"""


class Program:
    def __init__(self, url: str, store: str, workspace: str) -> None:
        self.agent = Agent.create(CONFIG % url)
        self.store = store
        self.workspace = workspace
        self.sessions: dict[str, object] = {}

    def run(self, action: str, id: str, argument: str = "") -> object:
        if action in ("start", "resume"):
            self.sessions[id] = self.in_the_runtime(action, id)
            return None
        session = self.sessions[id]
        if action == "send":
            return session.send(argument).text
        if action == "verify":
            check = {"id": "check", "kind": "test", "description": "d", "command": argument, "required": True}
            session.verify_commands("tests", [check])
            return None
        return session.save() if action == "save" else session.history()

    def in_the_runtime(self, action: str, id: str) -> object:
        """Open a session from a command handler: a store of files can be made only inside of a3s-code's async runtime."""
        opened: list[object] = []

        def handle(arguments: object, context: object) -> str:
            try:
                opened.append(self.open(action, id))
            except Exception as error:  # noqa: BLE001 (it crosses Rust)
                opened.append(error)
            return "done"

        helper = self.agent.session(self.workspace)
        helper.register_command("open", "opens a session", handle)
        helper.send("/open")
        if isinstance(opened[0], Exception):
            raise opened[0]
        return opened[0]

    def open(self, action: str, id: str) -> object:
        options = SessionOptions()
        options.session_store = FileSessionStore(self.store)
        options.session_id = id
        options.permission_policy = PermissionPolicy(default_decision="allow")
        if action == "resume":
            return self.agent.resume_session(id, options)
        return self.agent.session(self.workspace, options)


def main() -> None:
    program = Program(*sys.argv[1:])
    results = []
    for command in json.load(sys.stdin):
        try:
            results.append({"value": program.run(*command)})
        except Exception as error:  # noqa: BLE001 (each command has its own result)
            results.append({"error": str(error)})
    json.dump(results, sys.stdout)


main()
