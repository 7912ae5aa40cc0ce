"""Writers of a folder that are killed at random moments lose no acknowledged save, and block no other writer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from both_sides import first_on_sync
from faults import killed_writers
from faults.history import SEED, seed

KILLS = int(os.environ.get("SESSIONBUCKET_KILLS", "110"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


@first_on_sync
def test_killed_writers_lose_no_save_leave_no_torn_session_and_hold_no_lock(
    tmp_path: Path, side: Any
) -> None:
    root = tmp_path / "store"
    store = side.store(side.file_bucket(root))
    chosen = seed()
    kills = KILLS if side.name == "sync" else KILLS // 4  # the sides differ only in the reader
    program = subprocess.Popen(
        [sys.executable, killed_writers.__file__, str(root), str(kills), str(chosen)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    reproduce = f"set {SEED}={chosen} to reproduce it"
    reads = 0
    try:
        while program.poll() is None:
            session = store.load(killed_writers.ID)  # raises for a torn session
            if session:
                reads += 1
                number, padding, *last = session.tool_names
                assert padding == killed_writers.PADDING, reproduce
                assert last in ([], [number]), reproduce
            assert store.list() in ([], [killed_writers.ID]), reproduce  # no temporary file is listed
    finally:
        program.kill()
        output, errors = program.communicate()
    assert program.returncode == 0, f"{errors}; {reproduce}"
    reports = [json.loads(line) for line in output.splitlines()]
    assert len(reports) == kills
    assert reads > 0
    # A kill between a save and its report leaves one unreported save.
    assert all(0 <= report["found"] - report["acknowledged"] <= 1 for report in reports), reproduce
    # Each writer took the lock that the killed writer before it may have held, and continued from its number.
    assert all(later["found"] > earlier["found"] for earlier, later in pairwise(reports))


def test_files_and_locks_of_killed_writers_block_no_other_writer(tmp_path: Path, side: Any) -> None:
    root = tmp_path / "store"
    store = side.store(side.file_bucket(root))
    temporary = root / ".0123456789abcdef.tmp"
    temporary.write_bytes(b'{"id": "half')
    os.utime(temporary, (0, 0))
    lock = root / ".sessionbucket" / "locks" / "00.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()  # processes hold locks, files do not
    store.save(killed_writers.SessionData(id="s"))
    assert store.list() == ["s"]
    store.delete("s")
    assert store.list() == []
    assert temporary.exists()
