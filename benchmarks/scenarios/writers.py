"""Threads that add turns with ``update``: all to one session, or each to its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from typing import Any

from benchmarks.documents import document_of, messages, session_of
from benchmarks.findings import RATE, Setting
from benchmarks.rivals.bare_boto3 import BareBoto3
from benchmarks.running import KB, SYNC_ENGINES, Run, ours
from benchmarks.servers import Server
from sessionbucket import Message, SessionData, SessionStore, open_store

WRITERS = (1, 4, 16, 64)
SIZE = 5 * KB
_FEW = 4  # with more writers of one session, a round on SeaweedFS takes many seconds
BY_HAND = "bare boto3, If-Match by hand"
_ATTEMPTS = 10_000  # so that no update gives up
CONTENDED, UNCONTENDED = "update of one session", "update of sessions of their own"

Update = Callable[[str], object]
Fill = Callable[[str], None]
Length = Callable[[str], int]


def measure(run: Run) -> None:
    """Measure each number of writers on each server."""
    # The library logs every conflict, and here are many.
    logging.getLogger("sessionbucket").setLevel(logging.ERROR)
    for server in run.each_server():
        bucket = server.new_bucket()
        with ExitStack() as stack:
            contenders = {BY_HAND: _by_hand(BareBoto3(server, bucket))}
            for engine in run.engines(SYNC_ENGINES):
                store = stack.enter_context(open_store(server.store_url(bucket, engine, engine)))
                contenders[ours(engine)] = _through_store(store)
            for writers in run.pick(WRITERS, (1, 4)):
                for operation in (CONTENDED, UNCONTENDED):
                    _measure(run, server, contenders, operation, writers)


def _measure(
    run: Run, server: Server, contenders: dict[str, tuple[Fill, Update, Length]], operation: str, writers: int
) -> None:
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    names = count()
    each = run.pick(16, 8) // writers or 1
    with ThreadPoolExecutor(writers) as pool:
        for _ in range(run.pick(7 if writers <= _FEW else 3, 2)):
            for name, (fill, update, length) in contenders.items():
                own = f"{operation.replace(' ', '-')}-{writers}-{next(names)}"
                shared = operation == CONTENDED
                ids = [own] * writers if shared else [f"{own}-{writer}" for writer in range(writers)]
                for id in dict.fromkeys(ids):
                    fill(id)
                before = length(ids[0])
                started = time.perf_counter()
                list(pool.map(_repeatedly(update, each), ids))
                rates[name].append(writers * each / (time.perf_counter() - started))
                added = length(ids[0]) - before
                if added != (writers * each if shared else each):
                    raise RuntimeError(f"{name} lost updates: {added} were kept")
    run.findings.add_values(Setting("writers", operation, server.name, writers), RATE, rates, against=BY_HAND)


def _repeatedly(update: Update, times: int) -> Update:
    def updates(id: str) -> None:
        for _ in range(times):
            update(id)

    return updates


def _through_store(store: SessionStore) -> tuple[Fill, Update, Length]:
    message = Message.model_validate(next(messages()))

    def change(session: SessionData) -> None:
        session.messages.append(message)

    def length(id: str) -> int:
        session = store.load(id)
        return len(session.messages) if session else 0

    return (
        lambda id: store.save(session_of(SIZE, id)),
        lambda id: store.update(id, change, attempts=_ATTEMPTS),
        length,
    )


def _by_hand(bare: BareBoto3) -> tuple[Fill, Update, Length]:
    message = next(messages())

    def change(document: dict[str, Any]) -> None:
        document["messages"].append(message)

    return (
        lambda id: bare.save(id, document_of(session_of(SIZE, id))),
        lambda id: bare.update(id, change),
        lambda id: len(bare.load(id)["messages"]),
    )
