"""A program that kills writers of a folder at random moments: ``python killed_writers.py ROOT KILLS SEED``.

It forks each writer, so that no writer has to start Python. It stays small and without threads. A writer repeatedly saves
the next number in the session, and reports each acknowledged save through a pipe before the next one. For each writer
the program prints a line of JSON: the last acknowledged number, and the number in the session after the kill.
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
PADDING = "x" * 60_000  # long enough to make a torn write visible
SAVES_BEFORE_A_KILL = 2


def write_forever(root: str, acknowledge: int) -> None:
    store = SessionStore(FileBucket(root, fsync=False))
    while True:
        session = store.update(ID, grow, create=lambda: SessionData(id=ID, tool_names=["0", PADDING]))
        os.write(acknowledge, f"{session.tool_names[0]}\n".encode())


def grow(session: SessionData) -> None:
    """Increment the number at both ends of the session, so that a mixture of two sessions is detected."""
    number = str(int(session.tool_names[0]) + 1)
    session.tool_names[0] = number
    session.tool_names[1:] = [PADDING, number]


def killed_writer(root: str, moment: float, generator: random.Random) -> int:
    """Start a writer, kill it, and return the last number that it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        write_forever(root, writing)
    os.close(writing)
    reported = b""
    wanted = generator.randint(1, SAVES_BEFORE_A_KILL)
    while reported.count(b"\n") < wanted:
        chunk = os.read(reading, 4096)
        if not chunk:
            raise SystemExit(f"a writer ended before its kill: {os.waitpid(child, 0)}")
        reported += chunk
    select.select([], [], [], moment)  # a moment within the next save
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while chunk := os.read(reading, 4096):
        reported += chunk
    os.close(reading)
    return int(reported.split()[-1])


def main(root: str, kills: int, seed: int) -> None:
    generator = random.Random(seed)
    store = SessionStore(FileBucket(root, fsync=False))
    for _ in range(kills):
        acknowledged = killed_writer(root, generator.uniform(0, 0.003), generator)
        session = store.load(ID)
        found = int(session.tool_names[0]) if session else 0
        sys.stdout.write(json.dumps({"acknowledged": acknowledged, "found": found}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
