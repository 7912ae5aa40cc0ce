"""Repeated saves and loads of one session, and of one document: the CPU time and wall-clock time of each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from benchmarks.documents import document_of, session_of
from benchmarks.findings import Setting
from benchmarks.measuring import Timing, race
from benchmarks.rivals import bare_boto3
from benchmarks.running import KB, MB, SYNC_ENGINES, Run, ours
from benchmarks.servers import Server
from sessionbucket import SessionData, SessionStore, open_documents, open_store

SIZES = (5 * KB, 50 * KB, 500 * KB, 10 * MB)
BOTH = "save and load"
DOCUMENT = "put and get a document"
_BYTES_A_TURN = 1_000_000
"""Small sessions are saved and loaded several times in each round, so that the resolution of the clock does not matter."""

Timings = dict[str, list[Timing]]


def measure(run: Run) -> None:
    """Measure each size on each server."""
    for server in run.each_server():
        for size in run.pick(SIZES, SIZES[:2]):
            _measure(run, server, size)
        if run.has("obstore"):
            _measure_documents(run, server, 50 * KB)


def _measure_documents(run: Run, server: Server, size: int) -> None:
    """Bytes in a DocumentStore on obstore, beside bare obstore."""
    from benchmarks.rivals import bare_obstore  # noqa: PLC0415 (may be missing)

    bucket, body = server.new_bucket(), bytes(size)
    bare = bare_obstore.BareObstore(server, bucket)
    with open_documents(server.store_url(bucket, "", "obstore"), "documents") as documents:

        def put_and_get(put: Callable[[str, bytes], object], get: Callable[[str], object]) -> None:
            put("document", body)
            get("document")

        contenders: dict[str, Callable[[], object]] = {
            ours("obstore"): partial(put_and_get, documents.put, documents.get),
            bare_obstore.NAME: partial(put_and_get, bare.put, bare.get),
        }
        timings = race(contenders, rounds=run.pick(21, 3), calls=run.pick(20, 5))
    run.findings.add(Setting("hot_path", DOCUMENT, server.name, size), timings, against=bare_obstore.NAME)


def _measure(run: Run, server: Server, size: int) -> None:
    bucket, session = server.new_bucket(), session_of(size)
    document = document_of(session)
    rounds = run.pick(7 if size == 10 * MB else 21, 3)
    calls = max(1, min(20, run.pick(_BYTES_A_TURN, 5 * size) // size))
    with ExitStack() as stack:
        saves: dict[str, Callable[[], object]] = {}
        loads: dict[str, Callable[[], object]] = {}
        for engine in run.engines(SYNC_ENGINES):
            store = stack.enter_context(open_store(server.store_url(bucket, engine, engine)))
            saves[ours(engine)] = _saving(store, session)
            loads[ours(engine)] = partial(store.load, session.id)
        for name, rival in _rivals(run, server, bucket).items():
            saves[name] = partial(rival.save, "bare.json", document)
            loads[name] = partial(rival.load, "bare.json")
        saved = race(saves, rounds=rounds, calls=calls)
        loaded = race(loads, rounds=rounds, calls=calls)
    for operation, timings in (("save", saved), ("load", loaded), (BOTH, _sums(saved, loaded))):
        run.findings.add(Setting("hot_path", operation, server.name, size), timings, against=bare_boto3.NAME)


def _sums(saved: Timings, loaded: Timings) -> Timings:
    return {
        name: [
            Timing(save.elapsed + load.elapsed, save.cpu + load.cpu)
            for save, load in zip(saved[name], loaded[name], strict=True)
        ]
        for name in saved
    }


def _saving(store: SessionStore, session: SessionData) -> Callable[[], object]:
    """A function that saves a copy of the session, each time over the version that it saved before."""
    own = session.model_copy(deep=True)
    return lambda: store.save(own)


def _rivals(run: Run, server: Server, bucket: str) -> dict[str, Any]:
    rivals: dict[str, Any] = {bare_boto3.NAME: bare_boto3.BareBoto3(server, bucket)}
    if run.has("obstore"):
        from benchmarks.rivals import bare_obstore  # noqa: PLC0415 (may be missing)

        rivals[bare_obstore.NAME] = bare_obstore.BareObstore(server, bucket)
    return rivals
