"""Several processes share one store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from conformance.locations import FILE, MOTO, SEAWEEDFS, Location, environment
from conformance.samples import session_of, texts_of
from sessionbucket import open_store

SYNC = """
import sys
from sessionbucket import Message, open_store
url, name, turns = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open_store(url) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    for turn in range(turns):
        text = f"{name}.{turn}"
        store.update("s", lambda session: session.messages.append(Message.user(text)), attempts=100)
"""
ASYNC = """
import asyncio, sys
from sessionbucket import Message, open_async_store
url, name, turns = sys.argv[1], sys.argv[2], int(sys.argv[3])
async def main():
    async with open_async_store(url) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        for turn in range(turns):
            text = f"{name}.{turn}"
            await store.update("s", lambda session: session.messages.append(Message.user(text)), attempts=100)
asyncio.run(main())
"""
CREATE = """
import sys
from sessionbucket import Message, SessionConflictError, SessionData, open_store
with open_store(sys.argv[1]) as store:
    session = SessionData(id="s", messages=[Message.user(sys.argv[2])])
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        store.save(session)
        print("won")
    except SessionConflictError as error:
        print("lost", error.outcome)
"""
PAGE = """
import sys
from sessionbucket import open_store
with open_store(sys.argv[1]) as store:
    page = store.list_page(limit=2, cursor=sys.argv[2] or None)
    print(page.next_cursor or "", *(info.id for info in page.sessions), sep="\\n")
"""


@pytest.fixture(params=[FILE, *(pytest.param(kind, marks=pytest.mark.slow) for kind in (MOTO, SEAWEEDFS))])
def location(request: pytest.FixtureRequest, location_of: Callable[[str], Location]) -> Location:
    return location_of(request.param)


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_at_once(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Release all processes when each is ready, and return their outputs."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()
    outputs = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err
        outputs.append(out.strip())
    return outputs


def test_updates_of_several_processes_are_all_kept(location: Location):
    turns = 5
    with open_store(location.url()) as store:
        store.save(session_of("s", "base"))
        programs = {"a": SYNC, "b": SYNC, "c": ASYNC}
        run_at_once([start(program, location.url(), name, str(turns)) for name, program in programs.items()])
        texts = texts_of(store.load("s"))
    assert len(texts) == 1 + turns * len(programs)
    for name in programs:
        assert [text for text in texts if text.startswith(f"{name}.")] == [
            f"{name}.{n}" for n in range(turns)
        ]


def test_one_of_the_creates_in_several_processes_wins(location: Location):
    outputs = run_at_once([start(CREATE, location.url(), f"writer {number}") for number in range(4)])
    assert sorted(outputs) == ["lost not written"] * 3 + ["won"]
    with open_store(location.url()) as store:
        assert texts_of(store.load("s")) == [f"writer {outputs.index('won')}"]


@pytest.mark.slow
def test_a_cursor_continues_in_another_process(location: Location):
    ids = ["a", "b/1", "b/2", "é", "😀"]
    with open_store(location.url()) as store:
        for id in ids:
            store.save(session_of(id))
        listed = store.list()
    found, cursor = [], ""
    while True:
        out, err = start(PAGE, location.url(), cursor).communicate()
        cursor, *rows = out.splitlines() or [err]
        found += rows
        if not cursor:
            break
    assert found == listed
    assert sorted(found) == sorted(ids)
