"""Writers of a folder who are killed at random moments lose nothing that was acknowledged, and block nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from faults import crashing_writers
from faults.history import SEED, seed

KILLS = int(os.environ.get("SESSIONBUCKET_KILLS", "110"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def test_killed_writers_lose_nothing_tear_nothing_and_hold_no_lock(tmp_path: Path, side: Any) -> None:
    root = tmp_path / "store"
    store = side.store(side.file_bucket(root))
    chosen = seed()
    kills = KILLS if side.name == "sync" else KILLS // 4  # only the reader differs
    program = subprocess.Popen(
        [sys.executable, crashing_writers.__file__, str(root), str(kills), str(chosen)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    again = f"set {SEED}={chosen} for the same moments"
    reads = 0
    try:
        while program.poll() is None:
            session = store.load(crashing_writers.ID)  # raises for a torn one
            if session:
                reads += 1
                number, padding, *last = session.tool_names
                assert padding == crashing_writers.PADDING, again
                assert last in ([], [number]), again
            assert store.list() in ([], [crashing_writers.ID]), again  # what was left behind is not listed
    finally:
        program.kill()
        said, complaints = program.communicate()
    assert program.returncode == 0, f"{complaints}; {again}"
    reports = [json.loads(line) for line in said.splitlines()]
    assert len(reports) == kills
    assert reads > 0
    # A kill between a save and its report leaves one save more than was reported.
    assert all(0 <= report["found"] - report["acknowledged"] <= 1 for report in reports), again
    # Each writer had to take the lock that the one before may have held when it was killed, and went on from there.
    assert all(later["found"] > earlier["found"] for earlier, later in pairwise(reports))


def test_what_killed_writers_left_is_found_by_a_check_and_in_nobodys_way(tmp_path: Path, side: Any) -> None:
    root = tmp_path / "store"
    store = side.store(side.file_bucket(root))
    leftover = root / ".0123456789abcdef.tmp"
    leftover.write_bytes(b'{"id": "half')
    os.utime(leftover, (0, 0))
    lock = root / ".sessionbucket" / "locks" / "00.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()  # locks are held by processes, not by files
    store.save(crashing_writers.SessionData(id="s"))
    assert store.list() == ["s"]
    store.delete("s")
    assert store.list() == []
    assert leftover.exists()
