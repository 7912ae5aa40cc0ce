"""A process that is killed within a write leaves the old object or the new one, and no lock."""

from __future__ import annotations

import os
import random
import signal
import sys
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest

from conformance.locations import Location
from conformance.samples import say, session_of, texts_of
from sessionbucket import SessionData, open_store

FEW_KILLS, KILLS = 6, 40
TEXT = "x" * 2_000_000

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL")


def save_again_and_again(url: str, progress: Connection) -> None:
    """Save turn after turn until the kill, and report each acknowledged save."""
    with open_store(url) as store:
        for _ in count():
            session = store.update("s", next_turn, attempts=1)
            store.put_file("s", "large", [TEXT.encode(), str(turn_of(session)).encode()])
            progress.send(turn_of(session))


def next_turn(session: SessionData) -> None:
    turn = turn_of(session) + 1
    session.messages.clear()
    say(session, str(turn))
    say(session, f"{turn} {TEXT} {turn}")


def turn_of(session: SessionData) -> int:
    return int(texts_of(session)[0])


def wait_for_a_write(folder: Location, process: BaseProcess) -> None:
    """Wait until the writer starts to write a session."""
    temporary = folder.root / ".sessionbucket" / "tmp"
    before = set(temporary.glob("*.tmp"))
    while process.is_alive() and not set(temporary.glob("*.tmp")) - before:
        pass


@pytest.mark.parametrize("kills", [FEW_KILLS, pytest.param(KILLS, marks=pytest.mark.slow)])
def test_a_killed_writer_leaves_the_old_session_or_the_new_one_and_no_lock(
    folder: Location, monkeypatch: pytest.MonkeyPatch, kills: int
):
    # The fork server imports modules of these tests.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    generator = random.Random(4711)
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "sessionbucket"])
    with open_store(folder.url()) as store:
        store.save(session_of("s", "0", f"0 {TEXT} 0"))
        for _ in range(kills):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=save_again_and_again, args=(folder.url(), sender))
            process.start()
            sender.close()
            acknowledged = max(receiver.recv() for _ in range(generator.randint(1, 3)))
            if generator.random() < 0.7:
                wait_for_a_write(folder, process)
            receiver.poll(generator.random() * 0.004)  # a moment within the next turn
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
            receiver.close()
            assert process.exitcode == -signal.SIGKILL
            process.close()
            loaded = store.load("s")
            assert loaded is not None
            turn = turn_of(loaded)
            assert turn >= acknowledged
            assert texts_of(loaded)[1] == f"{turn} {TEXT} {turn}"
            with store.open_file("s", "large") as file:
                assert file.read().startswith(TEXT.encode())
            assert store.list() == ["s"]
            assert [info.name for info in store.list_files("s")] == ["large"]
            store.save(loaded)
            store.put_file("s", "large", TEXT.encode() + b"mine")
        store.delete("s")
        assert store.list() == []
