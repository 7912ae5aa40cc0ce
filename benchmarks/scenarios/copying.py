"""Copies of a folder of sessions into a bucket: ``sessionbucket cp`` beside rclone and the AWS CLI, each a process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from urllib.parse import quote

from benchmarks.documents import session_of
from benchmarks.findings import Setting
from benchmarks.measuring import Timing
from benchmarks.processes import run_command
from benchmarks.rivals import copying_tools
from benchmarks.rivals.bare_boto3 import BareBoto3
from benchmarks.rivals.copying_tools import AWS, RCLONE
from benchmarks.running import KB, SYNC_ENGINES, Run, ours
from benchmarks.servers import Server
from sessionbucket import open_store

SESSIONS = 10_000
SIZE = 5 * KB
_KINDS = 20
"""The number of different sessions. Each file has its own id."""
RCLONE_TUNED = "rclone --transfers 32"
_ONCE = (ours("boto3"), AWS)
"""Slow contenders that belong to no target: they copy in the first round only."""


def measure(run: Run) -> None:
    """Let the contenders copy in turn, each time to a new prefix."""
    server = run.main_server()
    bucket, number = server.new_bucket(), run.pick(SESSIONS, 100)
    listed, prefixes = BareBoto3(server, bucket), count()
    with run.folder() as folder:
        _fill(folder, number)
        copies = _contenders(run, server, bucket, folder)
        timings: dict[str, list[Timing]] = {name: [] for name in copies}
        for round_number in range(run.pick(3, 2)):
            for name, copy in copies.items():
                if name in _ONCE and round_number > 0:
                    timings[name].append(timings[name][0])
                    continue
                prefix = f"copy-{next(prefixes)}"
                timings[name].append(copy(prefix))
                found = sum(1 for _ in listed.names(f"{prefix}/"))
                if found != number:
                    raise RuntimeError(f"{name} copied {found} of {number} sessions")
    run.note(f"copying: {' and '.join(_ONCE)} copied once; every round has that time")
    run.findings.add(Setting("copying", "copy", server.name, number), timings, against=RCLONE)


def _fill(folder: Path, number: int) -> None:
    kinds = [session_of(SIZE, f"kind-{kind:02}") for kind in range(_KINDS)]
    with open_store(f"{folder.as_uri()}?fsync=false") as store:
        for session in range(number):
            copy = kinds[session % _KINDS].model_copy(update={"id": f"session-{session:06}"})
            store.save(copy, overwrite=True)
    for hidden in folder.glob(".sessionbucket/**/*"):
        if hidden.is_file():
            hidden.unlink()


def _contenders(run: Run, server: Server, bucket: str, folder: Path) -> dict[str, Callable[[str], Timing]]:
    contenders: dict[str, Callable[[str], Timing]] = {}
    for engine in run.engines(SYNC_ENGINES):

        def copy(prefix: str, engine: str = engine) -> Timing:
            url = server.store_url(bucket, prefix, engine)
            command = [sys.executable, "-m", "sessionbucket.cli", "cp"]
            return run_command([*command, f"file://{quote(str(folder))}", url]).timing

        contenders[ours(engine)] = copy
    if copying_tools.find(RCLONE):
        contenders[RCLONE] = lambda prefix: copying_tools.rclone(server, folder, bucket, prefix)
        contenders[RCLONE_TUNED] = lambda prefix: copying_tools.rclone(
            server, folder, bucket, prefix, "--transfers", "32", "--checkers", "32"
        )
    else:
        run.note("rclone is not installed and was left out")
    if copying_tools.find(AWS):
        contenders[AWS] = lambda prefix: copying_tools.aws(server, folder, bucket, prefix)
    else:
        run.note("the AWS CLI is not installed and was left out")
    return contenders
