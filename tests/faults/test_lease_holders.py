"""Leases among processes: holders that are stopped past their time, and wall clocks that differ by ten minutes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from conformance.locations import FILE, SEAWEEDFS, Location
from faults import lease_holders
from sessionbucket import SessionData, open_store

PROCESSES = 4
ACQUISITIONS = 250
SKEWS = (0.0, 600.0, -600.0, 300.0)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux"),
]


def acquire(url: str, ledgers: Path, each: int) -> list[tuple[int, float, float, float, float]]:
    """Let several processes acquire the lease, continue those that stop themselves, and return what they wrote down."""
    with open_store(url) as store:
        store.save(SessionData(id="s"))
    files = [ledgers / f"{number}.txt" for number in range(PROCESSES)]
    processes = [
        subprocess.Popen([sys.executable, lease_holders.__file__, url, str(each), str(skew), str(file)])
        for skew, file in zip(SKEWS, files, strict=True)
    ]
    stopped: dict[int, float] = {}
    try:
        while running := [process for process in processes if process.poll() is None]:
            for process in running:
                if is_stopped(process.pid):
                    since = stopped.setdefault(process.pid, time.monotonic())
                    if time.monotonic() - since > 2 * lease_holders.TTL.total_seconds():
                        del stopped[process.pid]
                        os.kill(process.pid, signal.SIGCONT)
            with suppress(subprocess.TimeoutExpired):
                running[0].wait(0.05)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0] * PROCESSES
    rows = [line.split() for file in files for line in file.read_text().splitlines()]
    return sorted((int(row[0]), *map(float, row[1:])) for row in rows)  # type: ignore[misc]


def is_stopped(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


def check(rows: list[tuple[int, float, float, float, float]], count: int) -> None:
    tokens = [row[0] for row in rows]
    assert len(tokens) == count
    assert tokens == sorted(set(tokens))
    for (_, _, over, _, _), (_, acquired, _, _, _) in pairwise(rows):
        assert over <= acquired, "two holders at once"
    for _, _, _, deadline, saved in rows:
        assert saved <= deadline, "a save was accepted after the end of the lease"
    lost = sum(row[4] == 0 for row in rows)
    assert lost >= PROCESSES * lease_holders.STOPS, "a holder that was stopped past its time saved"


@pytest.mark.parametrize("kind", [FILE, SEAWEEDFS])
def test_a_thousand_acquisitions_never_overlap(
    kind: str, location_of: Callable[[str], Location], tmp_path: Path
) -> None:
    location = location_of(kind)
    url = location.url(fsync="false") if kind == FILE else location.url()
    (tmp_path / "ledgers").mkdir()
    check(acquire(url, tmp_path / "ledgers", ACQUISITIONS), ACQUISITIONS * PROCESSES)
