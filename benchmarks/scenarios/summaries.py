"""Listing the summaries of a store of which a hundredth was saved since the last listing, beside listing the same sessions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import cycle, islice

from benchmarks.findings import Setting
from benchmarks.measuring import race
from benchmarks.running import SYNC_ENGINES, Run, ours
from benchmarks.servers import Server
from sessionbucket import Message, SessionData, SessionStore, open_store

SESSIONS = 10_000
STALE = 100
SCENARIO, OPERATION = "summaries", "list with 1 % stale"
_PREFIX = "sessions"
_TEXT = "Why does the nightly build fail since we moved to the new runners?"


def listed(engine: str) -> str:
    """The name of the listing without summaries in tables."""
    return f"{ours(engine)}, sessions alone"


def measure(run: Run) -> None:
    """Measure the first server: moto's listings take many times those of a server."""
    measure_summaries(run, run.main_server())


def measure_summaries(run: Run, server: Server) -> None:
    """Measure on this server."""
    number = run.pick(SESSIONS, 200)
    bucket = server.new_bucket()
    ids = [f"user-{session % 97}/chat-{session:06}" for session in range(number)]
    stale = cycle(ids[:: number // STALE])
    with ExitStack() as stack:
        writer = stack.enter_context(open_store(_url(server, bucket, run.engines(SYNC_ENGINES)[-1])))
        _save(writer, ids)
        contenders: dict[str, Callable[[], object]] = {}
        against: dict[str, str] = {}
        for engine in run.engines(SYNC_ENGINES):
            store = stack.enter_context(open_store(_url(server, bucket, engine)))
            contenders[listed(engine)] = partial(_list, store, number)
            contenders[ours(engine)] = partial(_list_summaries, store, number)
            against[ours(engine)] = listed(engine)
        timings = race(
            contenders, rounds=run.pick(11, 2), before=lambda: _save(writer, list(islice(stale, STALE)))
        )
    run.findings.add(Setting(SCENARIO, OPERATION, server.name, number), timings, against=against)


def _url(server: Server, bucket: str, engine: str) -> str:
    return server.store_url(bucket, _PREFIX, engine)


def _save(store: SessionStore, ids: list[str]) -> None:
    """Save the sessions, each with other facts than before, 16 at a time."""

    def save(id: str) -> None:
        session = store.load(id) or SessionData(id=id, principal=id.partition("/")[0], tags=["prod"])
        session.messages.append(Message.user(_TEXT))
        store.save(session)

    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(save, ids):
            pass


def _list(store: SessionStore, number: int) -> None:
    _expect(number, sum(1 for _ in store.iter_sessions()))


def _list_summaries(store: SessionStore, number: int) -> None:
    _expect(number, sum(1 for summary in store.summaries() if summary.title))


def _expect(number: int, found: int) -> None:
    if found != number:
        raise RuntimeError(f"{found} of {number} sessions were listed")
