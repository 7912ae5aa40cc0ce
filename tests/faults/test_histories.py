"""Under random faults, an acknowledged update is stored once, a rejected one never, and no update is stored twice."""

from __future__ import annotations

import multiprocessing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from both_sides import SyncSide, at_once, errors_in, first_on_sync
from faults.conftest import Site
from faults.history import History, Outcome, duration_is_set, seed, writer
from faults.proxy import requests
from faults.proxy_faults import (
    Chaos,
    act_and_respond,
    corrupt_body,
    cut_body,
    drop_request,
    drop_response,
    reset_upload,
    respond,
)
from sessionbucket import FileBucket, SessionStore

WRITERS = {"moto": 8, "seaweed": 4, "file": 4}
FEW_UPDATES = {"moto": 6, "seaweed": 6}
UPDATES = {"moto": 30, "seaweed": 60, "file": 100}
SIZES = [pytest.param(FEW_UPDATES, id="few")]
if not duration_is_set():
    SIZES.append(pytest.param(UPDATES, id="many", marks=pytest.mark.slow))
SESSIONS = ["a", "b"]
FAULTS = [
    drop_response,
    drop_response,
    drop_request,
    reset_upload,
    cut_body(50),
    corrupt_body,
    respond(503, "SlowDown"),
    respond(500, "InternalError"),
    respond(409, "ConditionalRequestConflict"),
    act_and_respond(500, "InternalError"),
]
RATE = 0.15


def tokens(store: Any) -> list[str]:
    sessions = [store.load(id) for id in SESSIONS]
    return [token for session in sessions if session for token in session.tool_names]


@pytest.mark.parametrize("updates", SIZES)
def test_no_update_is_lost_doubled_or_wrongly_reported_under_faults(
    site: Site, server: str, updates: dict[str, int]
) -> None:
    history = History(seed())
    store = site.store(max_attempts=3)
    site.proxy.on(requests(), Chaos(history.seed, RATE, FAULTS), times=None)
    writers = [
        writer(f"{server}{number}", store, history, SESSIONS, updates[server])
        for number in range(WRITERS[server])
    ]
    assert errors_in(at_once(writers)) == []
    site.proxy.reset()
    history.check(tokens(site.someone_else()))
    assert history.share("written") > 0.5  # otherwise the history proves nothing


@first_on_sync
@pytest.mark.parametrize("stores", ["one store", "a store each"])
def test_no_update_is_lost_or_doubled_in_a_folder(tmp_path: Path, side: Any, stores: str) -> None:
    history = History(seed())
    common = side.store(side.file_bucket(tmp_path / "store", fsync=False))
    writers = [
        writer(
            f"file{number}",
            common
            if stores == "one store"
            else side.store(side.file_bucket(tmp_path / "store", fsync=False)),
            history,
            SESSIONS,
            UPDATES["file"],
        )
        for number in range(WRITERS["file"])
    ]
    assert errors_in(at_once(writers)) == []
    history.check(tokens(common))
    assert history.share("written") > 0.5


def _write_from_process(root: Path, name: str) -> dict[str, Outcome]:
    history = History(0)
    writer(name, SessionStore(FileBucket(root, fsync=False)), history, SESSIONS, UPDATES["file"])()
    if history.errors:
        raise history.errors[0]
    return history.reported


def test_no_update_is_lost_or_doubled_between_processes(tmp_path: Path) -> None:
    root = tmp_path / "store"
    history = History(seed())
    names = [f"process{number}" for number in range(WRITERS["file"])]
    with multiprocessing.get_context("spawn").Pool(len(names)) as pool:
        for reported in pool.map(partial(_write_from_process, root), names):
            history.reported.update(reported)
        pool.close()
        pool.join()
    history.check(tokens(SyncSide().store(FileBucket(root))))
    assert history.share("written") > 0.5


def test_sync_and_async_writers_share_a_session(tmp_path: Path, sides: dict[str, Any]) -> None:
    history = History(seed())
    stores = [side.store(side.file_bucket(tmp_path, fsync=False)) for side in sides.values()]
    writers = [writer(f"side{number}", store, history, SESSIONS, 50) for number, store in enumerate(stores)]
    assert errors_in(at_once(writers)) == []
    history.check(tokens(stores[0]))


def test_the_check_detects_wrong_histories() -> None:
    """The wrong histories have a lost token, a doubled token, a stored token that was reported as not written, or a token of no writer."""
    good = History(1, reported={"a": "written", "b": "not written", "c": "unknown"})
    good.check(["a"])
    good.check(["a", "c"])
    for found in (["c"], ["a", "a"], ["a", "b"], ["a", "c", "c"], ["a", "d"]):
        with pytest.raises(AssertionError, match="SESSIONBUCKET_SEED=1"):
            good.check(found)
