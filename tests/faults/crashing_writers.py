"""A program that has writers of a folder killed at random moments: ``python crashing_writers.py ROOT KILLS SEED``.

It forks each writer, so a writer costs no start of Python, and is itself a small process without threads. A writer appends
its next number to the session again and again, and reports each save it was acknowledged through a pipe before the next.
The program prints a line of JSON for each writer: the last number it acknowledged, and what the session held afterwards.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys

from sessionbucket import FileBucket, SessionData, SessionStore

ID = "s"
PADDING = "x" * 60_000  # long enough for a torn write to be seen
SAVES_BEFORE_A_KILL = 2


def write_forever(root: str, acknowledge: int) -> None:
    store = SessionStore(FileBucket(root, fsync=False))
    while True:
        session = store.update(ID, grow, create=lambda: SessionData(id=ID, tool_names=["0", PADDING]))
        os.write(acknowledge, f"{session.tool_names[0]}\n".encode())


def grow(session: SessionData) -> None:
    """The number is at both ends, so that a mixture of two sessions is told from a session."""
    number = str(int(session.tool_names[0]) + 1)
    session.tool_names[0] = number
    session.tool_names[1:] = [PADDING, number]


def killed_writer(root: str, moment: float, chance: random.Random) -> int:
    """The last number that a writer acknowledged before it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        write_forever(root, writing)
    os.close(writing)
    said = b""
    wanted = chance.randint(1, SAVES_BEFORE_A_KILL)
    while said.count(b"\n") < wanted:
        chunk = os.read(reading, 4096)
        if not chunk:
            raise SystemExit(f"a writer ended on its own: {os.waitpid(child, 0)}")
        said += chunk
    select.select([], [], [], moment)  # somewhere within the next save
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while chunk := os.read(reading, 4096):
        said += chunk
    os.close(reading)
    return int(said.split()[-1])


def main(root: str, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    store = SessionStore(FileBucket(root, fsync=False))
    for _ in range(kills):
        acknowledged = killed_writer(root, chance.uniform(0, 0.003), chance)
        session = store.load(ID)
        found = int(session.tool_names[0]) if session else 0
        sys.stdout.write(json.dumps({"acknowledged": acknowledged, "found": found}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
