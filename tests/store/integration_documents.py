"""Documents in the layouts of all integrations, written without the frameworks. Their own tests compare them with the real ones."""

from __future__ import annotations

import json
from typing import Any

from sessionbucket import AppendLog, DocumentStore, SessionStore, encode_frame, encode_segment, newest_first

LONG = "long ü/" * 60
"""A name that a key has only in part."""
ENTRIES = [f"{number}" * 100_000 for number in range(4)]
"""Entries of which a log seals some."""


def write_all(store: SessionStore[Any], name: str) -> None:
    """Write an item of each integration that is called ``name``."""
    seg = encode_segment(name)
    folder = {each: store.documents(each, integration=True) for each in NAMES}
    checkpoint = encode_frame({"thread": name}, {"metadata": ("json", b"{}")})
    id = newest_first("1f0")
    folder["langgraph"].put(f"{seg}/%~/{id}.c.-.-", checkpoint)
    folder["langgraph"].put(f"{seg}/%~/{id}.w.task", encode_frame({"task": "task", "writes": {}}, {}))
    folder["langgraph"].put(f"{seg}/%values/{'0' * 64}", encode_frame({}, {}))
    for number in range(2):
        item = encode_frame({"namespace": ["a", name], "key": str(number)}, {})
        folder["langgraph-store"].put(f"a/{seg}/%~/{number}", item)
    append(folder["openai-agents"], seg, {"session_id": name})
    append(folder["pydantic-ai"], seg, {"record": {"conversation_id": name}})
    key = {"project_key": "p", "session_id": name}
    append(folder["claude"], f"p/s/{seg}", {"key": key, "summary": {}})
    append(folder["claude"], f"p/a/{seg}/agent", {"key": {**key, "subpath": "agent"}})
    append(folder["adk"], f"app/u/{seg}/s/{seg}", {"app_name": "app", "user_id": name, "id": name})
    folder["adk"].put(f"app/u/{seg}/user.json", b"{}")
    folder["adk-artifacts"].put(f"app/user/s/{seg}/file/{newest_first('0')}", encode_frame({}, {}))
    folder["adk-artifacts"].put(f"app/user/u/file/{newest_first('0')}", encode_frame({}, {}))
    session = {"format": 1, "data": {"session_id": name}}
    folder["strands"].put(f"repository/{seg}/session.json", json.dumps(session).encode())
    append(folder["strands"], f"repository/{seg}/a/agent", {"agent": {}})
    folder["agent-framework"].put(f"sessions/{seg}.json", b"{}")
    append(folder["agent-framework"], f"history/memory/{seg}", {})
    folder["agent-framework"].put(f"workflows/flow/{newest_first('0')}{seg}", b"")
    append(folder["llama-index"], seg, {"key": name})
    folder["strands"].put(f"session/{seg}/scopes/agent/a/snapshots/snapshot_latest.json", b"{}")


NAMES = (
    "langgraph",
    "langgraph-store",
    "openai-agents",
    "claude",
    "pydantic-ai",
    "strands",
    "adk",
    "adk-artifacts",
    "agent-framework",
    "llama-index",
)


def append(documents: DocumentStore, name: str, metadata: dict[str, Any]) -> None:
    """Write a log of one document and two sealed segments."""
    AppendLog(documents).append(name, ENTRIES, fold=lambda *_: metadata)
