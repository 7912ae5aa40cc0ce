"""The memory of a load and a save of a 10 MB session, in a fresh process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial

from benchmarks.documents import conversation, session_of
from benchmarks.findings import MEMORY, Setting
from benchmarks.processes import Finished, run_program
from benchmarks.rivals import bare_boto3
from benchmarks.running import MB, SYNC_ENGINES, Run, ours
from sessionbucket import open_store

SIZE = 10 * MB
COMPRESSED = f"{ours('boto3')}, zstd"


def measure(run: Run) -> None:
    """Measure the peaks of a load and a save, and the memory held in between, in multiples of the body."""
    if sys.platform != "linux":
        run.note("peak memory was not measured: it is read from /proc, which only Linux has")
        return
    server = run.main_server()
    bucket, size = server.new_bucket(), run.pick(SIZE, MB)
    with open_store(server.store_url(bucket, "", "boto3")) as store:
        store.save(session_of(size, "large"))
        store.save(conversation(2, "small"))
    body = server.client.head_object(Bucket=bucket, Key="large.json")["ContentLength"]
    bare = (server.endpoint_url, bucket, "small.json", "large.json")
    programs: dict[str, Callable[[], Finished]] = {
        bare_boto3.NAME: partial(run_program, "memory_boto3", *bare)
    }
    for engine in run.engines(SYNC_ENGINES):
        url = server.store_url(bucket, "", engine)
        programs[ours(engine)] = partial(run_program, "memory_sessionbucket", url, "small", "large")
    url = server.store_url(bucket, "compressed", "boto3")
    with open_store(url, compression="zstd") as store:
        store.save(session_of(size, "large"))
        store.save(conversation(2, "small"))
    programs[COMPRESSED] = partial(run_program, "memory_sessionbucket", url, "small", "large", "zstd")
    peaks: dict[str, dict[str, list[float]]] = {}
    for _ in range(run.pick(5, 2)):
        for name, program in programs.items():
            for operation, used in json.loads(program().output).items():
                peaks.setdefault(operation, {}).setdefault(name, []).append(used / body)
    for operation, values in peaks.items():
        run.findings.add_values(
            Setting("memory", operation, server.name, size), MEMORY, values, against=bare_boto3.NAME
        )
