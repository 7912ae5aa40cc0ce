"""The store in a folder: its save beside an equally safe hand-written save, and long listings."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.documents import document_of, session_of
from benchmarks.findings import Setting
from benchmarks.measuring import race
from benchmarks.rivals import bare_files
from benchmarks.running import KB, Run, ours
from benchmarks.scenarios.agents import FOLDER
from sessionbucket import open_store

SIZES = (5 * KB, 50 * KB, 500 * KB)
STORES = (100, 10_000, 100_000)
_BY_HAND = "os.scandir"


def measure(run: Run) -> None:
    """Measure saves, loads and listings."""
    for size in run.pick(SIZES, SIZES[:2]):
        with run.folder() as folder:
            _measure_session(run, folder, size)
    for number in run.pick(STORES, STORES[:1]):
        with run.folder() as folder:
            _measure_listing(run, folder, number)


def _measure_session(run: Run, folder: Path, size: int) -> None:
    session = session_of(size)
    document = document_of(session)
    (folder / "bare").mkdir()
    path = folder / "bare" / "session.json"
    with open_store((folder / "store").as_uri()) as store:
        saves = {
            bare_files.NAME: lambda: bare_files.save(path, document),
            ours(FOLDER): lambda: store.save(session),
        }
        loads = {
            bare_files.NAME: lambda: bare_files.load(path),
            ours(FOLDER): lambda: store.load(session.id),
        }
        for operation, contenders in (("save", saves), ("load", loads)):
            timings = race(contenders, rounds=run.pick(31, 3), calls=run.pick(10, 2))
            run.findings.add(Setting("folders", operation, FOLDER, size), timings, against=bare_files.NAME)


def _measure_listing(run: Run, folder: Path, number: int) -> None:
    for session in range(number):
        (folder / f"session-{session:06}.json").write_bytes(b"{}")
    with open_store(f"{folder.as_uri()}?create=false") as store:
        contenders = {
            _BY_HAND: lambda: sorted((entry.name, entry.stat().st_size) for entry in os.scandir(folder)),
            ours(FOLDER): lambda: sum(1 for _ in store.iter_sessions()),
            ours(FOLDER) + " list()": store.list,
        }
        timings = race(contenders, rounds=run.pick(5, 2))
    run.findings.add(Setting("folders", "list", FOLDER, number), timings, against=_BY_HAND)
