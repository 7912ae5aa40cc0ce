"""Exports of a store to Parquet by one process and by several: ``sessionbucket export``, each time to a new destination."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from itertools import count

from benchmarks.documents import session_of
from benchmarks.findings import Setting
from benchmarks.measuring import Timing
from benchmarks.processes import run_command
from benchmarks.running import KB, SYNC_ENGINES, Run
from benchmarks.servers import Server
from sessionbucket import SessionData, copy_sessions, open_store

SESSIONS = 10_000
SIZE = 5 * KB
RANGES = 16
WORKERS = (1, 2, 4)
DISTANT = 100
"""Milliseconds that a proxy adds to each response. Then the workers wait for responses more than for processors."""
_KINDS = 20
"""The number of different sessions. Each has its own id."""


def subject(workers: int) -> str:
    """The name in tables of an export by this number of processes."""
    return f"{workers} worker{'s' if workers > 1 else ''}"


def measure(run: Run) -> None:
    """Let exports by one process and by several take turns."""
    if not run.has("pyarrow"):
        return
    server = run.main_server()
    bucket, number, targets = server.new_bucket(), run.pick(SESSIONS, 100), count()
    engine = run.engines(SYNC_ENGINES)[-1]
    _fill(server.store_url(bucket, "sessions", engine), number)

    def export(server: Server, rounds: int) -> None:
        source = server.store_url(bucket, "sessions", engine)
        timings: dict[str, list[Timing]] = {subject(workers): [] for workers in WORKERS}
        for _ in range(rounds):
            for workers in WORKERS:
                target = server.store_url(bucket, f"lake-{next(targets)}", engine)
                command = [sys.executable, "-m", "sessionbucket.cli", "export", source, "--to", target]
                done = run_command([*command, "--ranges", str(RANGES), "--workers", str(workers)])
                if not done.output.startswith(f"{number:,} sessions"):
                    raise RuntimeError(f"the export says: {done.output}")
                timings[subject(workers)].append(done.timing)
        run.findings.add(Setting("exporting", "export", server.name, number), timings, against=subject(1))

    export(server, run.pick(3, 1))
    if not run.quick:
        with run.servers.behind(server, DISTANT) as distant:
            export(distant, 2)
    run.note(
        f"exporting: the workers and the server share {os.cpu_count()} processors, which limits the gain of a worker"
    )


def _fill(url: str, number: int) -> None:
    """Save sessions in memory, and copy them to the server concurrently."""
    kinds = [session_of(SIZE, f"kind-{kind:02}") for kind in range(_KINDS)]
    with open_store("memory://") as memory, open_store(url) as store:
        for session in _copies(kinds, number):
            memory.save(session)
        for result in copy_sessions(memory, store, concurrency=32):
            if result.outcome != "copied":
                raise RuntimeError(f"session {result.id}: {result.detail}")


def _copies(kinds: list[SessionData], number: int) -> Iterable[SessionData]:
    for session in range(number):
        yield kinds[session % len(kinds)].model_copy(update={"id": f"session-{session:06}"})
