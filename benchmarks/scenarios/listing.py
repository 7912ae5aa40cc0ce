"""Listing all sessions of a store, beside the paginator of the same library."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

from benchmarks.findings import Setting
from benchmarks.measuring import race
from benchmarks.rivals import bare_boto3
from benchmarks.running import SYNC_ENGINES, Run, ours
from benchmarks.servers import MOTO, SEAWEEDFS, Server
from sessionbucket import SessionStore, open_store

STORES = {SEAWEEDFS: (100, 10_000, 100_000), MOTO: (100, 10_000)}
"""moto goes through all its keys for each page, so 100,000 of them would measure moto."""
AT_ONCE = 16
_PREFIX = "sessions"
_BODY = b"{}"  # a listing reads no body


def parallel(engine: str) -> str:
    """The name of a parallel listing in tables."""
    return f"{ours(engine)}, parallel"


def measure(run: Run) -> None:
    """Measure each store on each server."""
    for server in run.each_server():
        for number in run.pick(STORES[server.name], (100,)):
            measure_listing(run, server, number)


def measure_listing(run: Run, server: Server, number: int) -> None:
    """Measure listings of this number of sessions."""
    bucket = server.new_bucket()
    _fill(run, server, bucket, number)
    bare = bare_boto3.BareBoto3(server, bucket)
    contenders: dict[str, Callable[[], object]] = {
        bare_boto3.NAME: lambda: _expect(number, len(list(bare.names(f"{_PREFIX}/"))))
    }
    against: dict[str, str] = {}
    if run.has("obstore"):
        from benchmarks.rivals import bare_obstore  # noqa: PLC0415 (may be missing)

        rust = bare_obstore.BareObstore(server, bucket)
        contenders[bare_obstore.NAME] = lambda: _expect(number, len(rust.names(_PREFIX)))
    with ExitStack() as stack:
        for engine in run.engines(SYNC_ENGINES):
            store = stack.enter_context(open_store(server.store_url(bucket, _PREFIX, engine)))
            contenders[ours(engine)] = partial(_list, store, number)
            against[ours(engine)] = f"bare {engine}"
            if _lists_in_parallel(store):
                contenders[parallel(engine)] = partial(_list, store, number, concurrency=AT_ONCE)
                against[parallel(engine)] = ours(engine)
        rounds = run.pick(3 if number == max(STORES[SEAWEEDFS]) else 7, 2)
        timings = race(contenders, rounds=rounds)
    run.findings.add(Setting("listing", "list", server.name, number), timings, against=against)


def _fill(run: Run, server: Server, bucket: str, number: int) -> None:
    """Put the objects, 32 at a time, with obstore if it is installed."""
    keys = (f"{_PREFIX}/session-{session:06}.json" for session in range(number))
    if run.has("obstore"):
        from benchmarks.rivals import bare_obstore  # noqa: PLC0415 (may be missing)

        put = bare_obstore.BareObstore(server, bucket).save
    else:
        put = bare_boto3.BareBoto3(server, bucket).save
    with ThreadPoolExecutor(32) as pool:
        for _ in pool.map(lambda key: put(key, {}), keys):
            pass


def _list(store: SessionStore, number: int, **options: Any) -> None:
    _expect(number, sum(1 for _ in store.iter_sessions(**options)))


def _lists_in_parallel(store: SessionStore) -> bool:
    return "concurrency" in inspect.signature(store.iter_sessions).parameters


def _expect(number: int, found: int) -> None:
    if found != number:
        raise RuntimeError(f"{found} of {number} sessions were listed")
