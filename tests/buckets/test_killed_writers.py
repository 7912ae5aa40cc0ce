"""A process that is killed at any moment leaves the old session or the new one, and no lock."""

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

KILLS = 40
TEXT = "x" * 2_000_000

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL")


def save_again_and_again(url: str, progress: Connection) -> None:
    """Save turn after turn until killed, and tell of each save that was acknowledged."""
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
    """Wait until the writer has begun to write a session."""
    before = set(folder.root.glob(".*.tmp"))
    while process.is_alive() and not set(folder.root.glob(".*.tmp")) - before:
        pass


def test_a_killed_writer_leaves_the_old_session_or_the_new_one_and_no_lock(
    folder: Location, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # for the modules that are loaded beforehand
    chance = random.Random(4711)
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "sessionbucket"])
    with open_store(folder.url()) as store:
        store.save(session_of("s", "0", f"0 {TEXT} 0"))
        for _ in range(KILLS):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=save_again_and_again, args=(folder.url(), sender))
            process.start()
            sender.close()
            acknowledged = max(receiver.recv() for _ in range(chance.randint(1, 3)))
            if chance.random() < 0.7:
                wait_for_a_write(folder, process)
            receiver.poll(chance.random() * 0.004)  # a moment somewhere in the next turn
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
            receiver.close()
            assert process.exitcode == -signal.SIGKILL
            process.close()
            left = store.load("s")
            assert left is not None
            turn = turn_of(left)
            assert turn >= acknowledged
            assert texts_of(left)[1] == f"{turn} {TEXT} {turn}"
            with store.open_file("s", "large") as file:
                assert file.read().startswith(TEXT.encode())
            assert store.list() == ["s"]
            assert [info.name for info in store.list_files("s")] == ["large"]
            store.save(left)
            store.put_file("s", "large", TEXT.encode() + b"mine")
        store.delete("s")
        assert store.list() == []
