"""A tour in under a minute: real conversations, a real S3 server, two writers, a mirror, and agent frameworks on the same store.

Run it with ``make demo``, or with ``python examples/demo.py`` where the extra ``cli`` and the dependency group ``demo`` are
installed; the last scenes also need the extras `async`, `langgraph` and `openai-agents`, and the viewer needs `web`. It starts SeaweedFS on
the loopback address, and leaves only a copy of its store, for the viewer: in the folder `.demo`, or in the folder that it is given. The
code that it shows is the code that it runs. The conversations were recorded, and the tour adds a few turns to them.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any, NoReturn
from urllib.parse import urlsplit

from demo_frameworks import Scenes
from rich.console import Console
from rich.filesize import decimal
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from sessionbucket import (
    Message,
    SessionBucketError,
    SessionConflictError,
    SessionData,
    SessionPage,
    SessionStore,
    copy_sessions,
    open_store,
)
from sessionbucket.models import ArtifactStore, ToolArtifact, ToolResultBlock, ToolUseBlock
from sessionbucket.testing.seaweedfs import SeaweedServer

PROJECT = Path(__file__).resolve().parents[1]
CONVERSATIONS = PROJECT / "examples" / "conversations"
BUCKET, PREFIX = "agents", "sessions"
RESUMED = "airline-012-trial-0"
WITH_ARTIFACTS = "airline-028-trial-2"
KEPT = PROJECT / ".demo"
"""The folder of the copy that remains, unless another is given. Each run replaces it."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)
program: dict[str, Any] = {}
"""The variables of the code that the tour shows."""


class BrokenPromiseError(Exception):
    """A claim of this tour does not hold."""


def main() -> int:
    """Run the tour, and return the exit code of the process."""
    signal.signal(signal.SIGTERM, _exit)
    kept = Path(sys.argv[1]) if len(sys.argv) > 1 else KEPT
    try:
        with ExitStack() as stack:
            server, mirror = _tour(stack, kept)
        expect(not mirror.exists() and not _is_running(server), "the mirror or the server still exists")
    except KeyboardInterrupt:
        console.print("\ninterrupted", style="yellow")
        return 130
    except (SessionBucketError, BrokenPromiseError) as error:
        console.print(Text(f"error: {error}", style="bold red"))
        return 1
    _say_what_to_try_next(kept)
    return 0


def _tour(stack: ExitStack, kept: Path) -> tuple[SeaweedServer, Path]:
    _show_folder(stack)
    server = _start_server(stack)
    client = server.client()
    stack.callback(client.close)
    client.create_bucket(Bucket=BUCKET)
    store = _copy_into(server, stack)
    _page_through()
    _resume(store)
    _meet_a_conflict(store)
    _add_artifacts(store)
    mirror = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sessionbucket-mirror-")))
    _mirror(client, mirror)
    _open_mirror(store, mirror, stack)
    Scenes(server.store_url(BUCKET, PREFIX), console, section=section, run=run, expect=expect).play()
    _keep(store, kept)
    return server, mirror


def _show_folder(stack: ExitStack) -> None:
    section("A folder of JSON files is a store")
    run(f"""
        from sessionbucket import Message, SessionConflictError, copy_sessions, open_store

        folder = open_store("{CONVERSATIONS.as_uri()}?create=false")
    """)
    folder: SessionStore[SessionData] = stack.enter_context(program["folder"])
    sessions = [load(folder, id) for id in folder.list()]
    calls = sum(isinstance(block, ToolUseBlock) for session in sessions for block in blocks(session))
    say(
        f"[bold]examples/conversations[/] holds {len(sessions)} recorded sessions: "
        f"{sum(len(session.messages) for session in sessions)} messages, {calls} tool calls."
    )


def _start_server(stack: ExitStack) -> SeaweedServer:
    section("A real S3 server")
    with console.status("starting SeaweedFS …"):
        server = stack.enter_context(SeaweedServer())
    say(f"SeaweedFS runs at [cyan]{server.endpoint_url}[/] until this tour ends.")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(server.environment())
    return server


def _copy_into(server: SeaweedServer, stack: ExitStack) -> SessionStore[SessionData]:
    run(f"""
        store = open_store("s3://{BUCKET}/{PREFIX}", endpoint_url="{server.endpoint_url}", region="us-east-1")
        outcomes = [result.outcome for result in copy_sessions(folder, store)]
    """)
    store: SessionStore[SessionData] = stack.enter_context(program["store"])
    copied = program["outcomes"].count("copied")
    expect(copied == len(store.list()) == len(program["folder"].list()), "a session was not copied")
    say(
        f"{copied} sessions are copied. Before the first save the store probed the server, and found its "
        f"conditional writes {store.probe_conditional_writes().support}."
    )
    return store


def _page_through() -> None:
    section("Listing: one request for each page, and no session is read")
    run("""
        pages = [store.list_page(limit=5)]
        while pages[-1].next_cursor:
            pages.append(store.list_page(limit=5, cursor=pages[-1].next_cursor))
    """)
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for name in ("page", "session", "size", "version"):
        table.add_column(name, justify="right" if name == "size" else "left")
    pages: list[SessionPage] = program["pages"]
    for number, page in enumerate(pages, start=1):
        for row, info in enumerate(page.sessions):
            first = str(number) if row == 0 else ""
            table.add_row(first, info.id, decimal(info.size or 0), short(info.version))
    console.print(table)


def _resume(store: SessionStore[SessionData]) -> None:
    section("Resuming a session")
    session, before = load(store, RESUMED), version(store, RESUMED)
    say(f"[bold]{RESUMED}[/] stopped after {len(session.messages)} messages, with the customer waiting:")
    quote(session.messages[-1])
    run(f"""
        session = store.load("{RESUMED}")
        session.messages.append(Message.assistant("I am connecting you with a colleague who can look into it."))
        store.save(session)
    """)
    quote(load(store, RESUMED).messages[-1])
    say(
        f"The save replaced version [cyan]{before}[/] and no other; the new one is [cyan]{version(store, RESUMED)}[/]."
    )


def _meet_a_conflict(store: SessionStore[SessionData]) -> None:
    section("Two workers, one session")
    run(f"""
        early, late = store.load("{RESUMED}"), store.load("{RESUMED}")

        early.messages.append(Message.user("While I wait: does the refund need my card number again?"))
        store.save(early)

        late.messages.append(Message.assistant("Your case number is 4739-12."))
        try:
            store.save(late)
        except SessionConflictError as error:
            conflict = error
    """)
    if "conflict" not in program:
        raise BrokenPromiseError("a stale save replaced the session")
    conflict: SessionConflictError = program["conflict"]
    expect(load(store, RESUMED).messages == program["early"].messages, "a refused save changed the session")
    panel = Text.assemble(
        ("SessionConflictError", "bold red"),
        f"\nsession  {conflict.session_id}\nkey      {conflict.key}\noutcome  {conflict.outcome}",
    )
    say("The second save is refused, and the turn of the first worker is safe:")
    console.print(Panel(panel, border_style="red", expand=False))
    run(f"""
        turn = late.messages[-1]
        store.update("{RESUMED}", lambda session: session.messages.append(turn))
    """)
    say(
        "[green]update[/] loads, changes and saves, and repeats that after a conflict. Now both turns are there:"
    )
    for message in load(store, RESUMED).messages[-2:]:
        quote(message)


def _add_artifacts(store: SessionStore[SessionData]) -> None:
    section("Tool outputs and files live beside the session")
    session = load(store, WITH_ARTIFACTS)
    names = {block.id: block.name for block in blocks(session) if isinstance(block, ToolUseBlock)}
    results = [block for block in blocks(session) if isinstance(block, ToolResultBlock)]
    longest = max(results, key=lambda block: len(block.content))
    text = longest.content if isinstance(longest.content, str) else ""
    size = len(text.encode())
    artifact = ToolArtifact(
        artifact_id=longest.tool_use_id,
        artifact_uri=f"artifact://{longest.tool_use_id}",
        tool_name=names[longest.tool_use_id],
        content=text,
        original_bytes=size,
        shown_bytes=size,
    )
    store.save_artifacts(WITH_ARTIFACTS, ArtifactStore(artifacts=[artifact]))
    store.put_file(WITH_ARTIFACTS, "transcript.txt", _transcript(session))
    (file,) = store.list_files(WITH_ARTIFACTS)
    say(
        f"[bold]{WITH_ARTIFACTS}[/]: its longest tool output ({artifact.tool_name}, {decimal(size)}) is now an artifact, "
        f"and [bold]{file.name}[/] ({decimal(file.size)}) was streamed into a file."
    )


def _transcript(session: SessionData) -> Iterator[bytes]:
    for message in session.messages:
        yield f"{message.role}: {message.text}\n".encode()


def _mirror(client: Any, mirror: Path) -> None:
    section("The bucket and a folder: the same tree, key for key")
    objects = {
        entry["Key"]: entry
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{PREFIX}/")
        for entry in page.get("Contents", [])
    }
    for key in objects:
        path = mirror / key.removeprefix(f"{PREFIX}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(BUCKET, key, str(path))
    files = {
        f"{PREFIX}/{path.relative_to(mirror).as_posix()}": path
        for path in mirror.rglob("*")
        if path.is_file()
    }
    expect(files.keys() == objects.keys(), "the folder and the bucket have different keys")
    digests = {key: hashlib.md5(path.read_bytes()).hexdigest() for key, path in files.items()}  # noqa: S324
    equal = [key for key, digest in digests.items() if objects[key]["ETag"].strip('"') == digest]
    console.print(_tree(digests, set(equal)))
    expect(len(equal) == len(objects), "a file differs from its object")
    say(f"{len(objects)} objects, {len(files)} files, {len(equal)} equal MD5s.")


def _tree(digests: dict[str, str], equal: set[str]) -> Tree:
    tree = Tree(f"[bold]{PREFIX}/[/]", guide_style="dim")
    branches = {PREFIX: tree}
    for key in sorted(digests, key=lambda key: (key.count("/") > 1, key)):
        folder, _, name = key.rpartition("/")
        for depth in range(1, folder.count("/") + 1):
            path = "/".join(folder.split("/")[: depth + 1])
            if path not in branches:
                parent, _, label = path.rpartition("/")
                branches[path] = branches[parent].add(f"[bold]{label}/[/]")
        mark = ("= ", "bold green") if key in equal else ("≠ ", "bold red")
        branches[folder].add(Text.assemble(mark, (f"{digests[key][:8]}  ", "dim"), name))
    return tree


def _open_mirror(store: SessionStore[SessionData], mirror: Path, stack: ExitStack) -> None:
    run(f'copy = open_store("{mirror.as_uri()}")')
    copy: SessionStore[SessionData] = stack.enter_context(program["copy"])
    expect(copy.list() == store.list(), "the folder and the bucket list different sessions")
    same = sum(load(copy, id) == load(store, id) for id in store.list())
    say(
        f"The folder opens as a store: {same} of {len(copy.list())} sessions are equal to those of the bucket."
    )


def _keep(store: SessionStore[SessionData], kept: Path) -> None:
    """Copy the store with everything in it into the folder that remains."""
    if kept == KEPT:
        shutil.rmtree(kept, ignore_errors=True)
    with open_store(kept) as copy:
        outcomes = {result.outcome for result in copy_sessions(store, copy)}
    expect(outcomes == {"copied"}, f"the copy for the viewer is not complete: {outcomes}")


def load(store: SessionStore[SessionData], id: str) -> SessionData:
    """Load a session that must exist."""
    session = store.load(id)
    if session is None:
        raise BrokenPromiseError(f"session {id!r} is missing")
    return session


def blocks(session: SessionData) -> Iterator[object]:
    """Yield all blocks of all messages."""
    for message in session.messages:
        yield from message.content


def version(store: SessionStore[SessionData], id: str) -> str:
    """The short form of the session's current version in a listing."""
    return short(next(info.version for info in store.iter_sessions(prefix=id) if info.id == id))


def short(version: str | None) -> str:
    """The first digits of a version."""
    return (version or "").strip('"')[:8]


def expect(holds: bool, otherwise: str) -> None:
    """Stop the tour unless a claim holds."""
    if not holds:
        raise BrokenPromiseError(otherwise)


def section(title: str) -> None:
    """Start a section."""
    console.print()
    console.print(Rule(f"[bold]{title}[/]", align="left", style="dim"))


def say(text: str) -> None:
    """Print a sentence with markup."""
    console.print(text)


def run(code: str) -> dict[str, Any]:
    """Print code without any decoration, so that it can be copied, and run it. Returns its variables."""
    code = dedent(code).strip("\n")
    console.print()
    console.print(Syntax(code, "python", theme="ansi_dark", background_color="default"), soft_wrap=True)
    console.print()
    exec(compile(code, "demo", "exec"), program)  # noqa: S102 (the code is in this folder)
    return program


def quote(message: Message) -> None:
    """Print a message of a conversation."""
    style = "cyan" if message.role == "user" else "green"
    text = message.text.replace("###STOP###", "")
    console.print(Text.assemble(("  │ ", "dim"), (f"{message.role}: ", f"bold {style}"), text))


def _say_what_to_try_next(kept: Path) -> None:
    section("What to try next")
    say("The server is stopped, and the mirror is gone. The recorded conversations are yours to look at:")
    command = Path(sys.executable).with_name("sessionbucket")
    command = command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command
    rows = {
        f"export SESSIONBUCKET_URL={CONVERSATIONS.as_uri()}": "",
        f"{command} ls": "lists them",
        f"{command} show {RESUMED}": "shows one as a conversation",
        "make s3": "starts an S3 server for a program of yours",
    }
    width = max(len(row) for row, meaning in rows.items() if meaning)
    for row, meaning in rows.items():
        comment = f"{row:{width}}  [dim]# {meaning}[/]" if meaning else row
        console.print(comment, soft_wrap=True)
    say("[bold]docs/quickstart.md[/] goes from the first program to two workers.")
    section("See it in the browser")
    say("A copy of the store is kept, with its threads of frameworks. The viewer shows it:")
    folder = kept.relative_to(Path.cwd()) if kept.is_relative_to(Path.cwd()) else kept
    console.print(Text(f"{command} web {shlex.quote(str(folder))}"), soft_wrap=True)


def _is_running(server: SeaweedServer) -> bool:
    address = urlsplit(server.endpoint_url)
    with socket.socket() as connection:
        return connection.connect_ex((address.hostname, address.port)) == 0


def _exit(signal_number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + signal_number)


if __name__ == "__main__":
    sys.exit(main())
