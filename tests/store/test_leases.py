"""Leases: one holder at a time, tokens that only rise, and a holder that finds out locally when its time is over."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from both_sides import SyncSide, at_once, errors_in
from sessionbucket import (
    InvalidArgumentError,
    LeaseHeldError,
    LeaseLostError,
    NotSupportedError,
    SessionCorruptedError,
    SessionData,
    StoreUnavailableError,
)
from sessionbucket._core import leases
from sessionbucket._core.leases import LeaseDocument, LeaseWatch, LocalDeadline, decode_lease

KEY = ".sessionbucket/leases/s.json"
LONG = timedelta(minutes=5)
SHORT = timedelta(milliseconds=50)


class Clocks:
    """The clocks of this process, which a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.wall = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.wall


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(leases, "time", clocks)
    return clocks


@pytest.fixture
def bucket(side: SyncSide) -> Any:
    return side.make("FaultyBucket", side.make("MemoryBucket"))


@pytest.fixture
def store(side: SyncSide, bucket: Any) -> Any:
    return side.store(bucket)


def stored(bucket: Any) -> LeaseDocument:
    return decode_lease(KEY, bucket.get(KEY, max_bytes=10_000).body)


def test_tokens_rise_over_releases(store: Any, bucket: Any):
    tokens = []
    for _ in range(3):
        with store.lease("s") as lease:
            tokens.append(lease.token)
            assert stored(bucket).held
        assert not stored(bucket).held
    assert tokens == [1, 2, 3]


def test_an_acquisition_costs_one_get_and_one_put_and_a_release_one_put(store: Any, bucket: Any):
    for _ in range(2):
        with store.lease("s"):
            assert [call.operation for call in bucket.calls] == ["get", "put"]
            bucket.calls.clear()
        assert [call.operation for call in bucket.calls] == ["put"]
        bucket.calls.clear()


def test_a_second_worker_is_told_who_holds_the_lease(store: Any):
    with store.lease("s", ttl=LONG, owner="worker-1") as lease:
        with pytest.raises(LeaseHeldError) as caught, store.lease("s"):
            pass
        error = caught.value
        assert (error.owner, error.token, error.ttl, error.session_id) == ("worker-1", lease.token, LONG, "s")
        with store.lease("another"):
            pass


def test_a_waiting_worker_gets_the_lease_when_it_is_released(side: SyncSide, bucket: Any):
    held = side.store(bucket).lease("s", ttl=LONG)
    held.acquire()

    def wait() -> int:
        with side.store(bucket).lease("s", wait=LONG) as lease:
            return int(lease.token)

    assert sorted(at_once([wait, lambda: held.release() or 0])) == [0, 2]  # type: ignore[type-var]


def test_a_lost_lease_saves_nothing_and_sends_nothing(store: Any, bucket: Any, clocks: Clocks):
    with store.lease("s", ttl=LONG) as lease:
        store.save(SessionData(id="s"), lease=lease)
        session = store.load("s")
        bucket.calls.clear()
        clocks.now += LONG.total_seconds()
        assert lease.remaining == timedelta(0)
        for call in (
            lambda: store.save(session, lease=lease),
            lambda: store.save_turn(session, trace_events=[], lease=lease),
            lease.renew,
            lease.check,
        ):
            with pytest.raises(LeaseLostError) as caught:
                call()
            assert (caught.value.outcome, caught.value.token) == ("not written", 1)
        assert bucket.calls == []


def test_a_suspended_machine_loses_its_lease_by_the_wall_clock(store: Any, clocks: Clocks):
    with store.lease("s", ttl=LONG) as lease:
        clocks.wall += LONG.total_seconds()
        with pytest.raises(LeaseLostError):
            lease.check()


def test_a_wall_clock_that_is_set_back_prolongs_no_lease(clocks: Clocks):
    deadline = LocalDeadline(LONG)
    clocks.wall -= 3600
    clocks.now += LONG.total_seconds()
    assert deadline.remaining == timedelta(0)


def test_the_time_of_a_lease_counts_from_before_its_request(store: Any, bucket: Any, clocks: Clocks):
    def pass_a_minute() -> None:
        clocks.now += 60

    bucket.run_before(pass_a_minute, "put")
    with store.lease("s", ttl=LONG) as lease:
        assert lease.remaining == LONG - timedelta(minutes=1)


def test_a_retry_after_the_end_of_the_lease_is_not_sent(store: Any, bucket: Any, clocks: Clocks):
    with store.lease("s", ttl=LONG) as lease:
        store.save(SessionData(id="s"), lease=lease)
        session = store.load("s")

        def end() -> None:
            clocks.now += LONG.total_seconds()

        bucket.run_before(end, "put", key="s.json")
        bucket.drop_request("put", key="s.json")
        bucket.calls.clear()
        with pytest.raises(LeaseLostError) as caught:
            store.save(session, lease=lease)
        assert caught.value.outcome == "unknown"
        assert [call.operation for call in bucket.calls].count("put") == 1


def test_a_renewal_keeps_the_token_and_prolongs_the_lease(store: Any, bucket: Any, clocks: Clocks):
    with store.lease("s", ttl=LONG) as lease:
        clocks.now += 200
        lease.renew()
        assert lease.remaining == LONG
        assert stored(bucket).token == lease.token == 1


def test_a_renewal_after_a_takeover_is_lost_and_a_release_then_changes_nothing(
    side: SyncSide, store: Any, bucket: Any
):
    with store.lease("s", ttl=LONG) as lease:
        taken = LeaseDocument(7, "other", LONG, held=True, nonce="n")
        bucket.put(KEY, taken.encode())
        with pytest.raises(LeaseLostError):
            lease.renew()
        with pytest.raises(LeaseLostError):
            lease.check()
    assert stored(bucket) == taken


def test_a_release_after_a_takeover_changes_nothing(store: Any, bucket: Any):
    with store.lease("s", ttl=LONG):
        taken = LeaseDocument(7, "other", LONG, held=True, nonce="n")
        bucket.put(KEY, taken.encode())
    assert stored(bucket) == taken


def test_a_reader_takes_over_what_it_has_seen_unchanged_for_the_whole_time(store: Any, bucket: Any):
    bucket.put(KEY, LeaseDocument(7, "gone", SHORT, held=True, nonce="n").encode())
    started = time.monotonic()
    with store.lease("s", ttl=LONG, wait=timedelta(seconds=30)) as lease:
        assert lease.token == 8
        assert time.monotonic() - started >= SHORT.total_seconds()


def test_a_watch_starts_again_with_each_document(clocks: Clocks):
    watch = LeaseWatch()
    first, second = (LeaseDocument(1, "o", LONG, held=True, nonce=nonce) for nonce in "ab")
    assert not watch.is_over(first)
    clocks.now += LONG.total_seconds() - 1
    assert not watch.is_over(first)
    assert not watch.is_over(second)
    clocks.now += 1
    assert not watch.is_over(second)
    clocks.now += LONG.total_seconds() - 1
    assert watch.is_over(second)


@pytest.mark.parametrize(("age", "is_over"), [(3, False), (60, False), (64, False), (80, True), (3600, True)])
def test_a_reader_takes_over_what_is_old_by_the_clock_of_the_storage(
    side: SyncSide, tmp_path: Path, age: int, is_over: bool
):
    store = side.store(side.file_bucket(tmp_path, fsync=False))
    store.lease("s", ttl=timedelta(minutes=1)).acquire()
    os.utime(tmp_path / KEY, (time.time() - age, time.time() - age))
    if not is_over:
        with pytest.raises(LeaseHeldError):
            store.lease("s").acquire()
        return
    with store.lease("s") as lease:
        assert lease.token == 2


def test_a_write_of_unknown_outcome_is_found_again(side: SyncSide, bucket: Any, store: Any):
    lease = store.lease("s", ttl=LONG)
    bucket.drop_response("put", key=KEY, times=None)
    bucket.drop_request("head", key=KEY, times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        lease.acquire()
    assert caught.value.outcome == "unknown"
    bucket.clear_faults()
    lease.acquire()
    assert stored(bucket).token == lease.token == 1


def test_a_failed_release_is_no_error_of_the_block(store: Any, bucket: Any):
    with store.lease("s", ttl=LONG):
        bucket.drop_request("put", key=KEY, times=None)
    bucket.clear_faults()
    assert stored(bucket).held


def test_a_body_that_is_no_lease_is_refused(store: Any, bucket: Any):
    newer = json.loads(LeaseDocument(1, "o", LONG, held=True, nonce="n").encode()) | {"format": 2}
    for body, reason in [(b"{}", "no lease"), (b"x", "no lease"), (json.dumps(newer).encode(), "format")]:
        bucket.put(KEY, body)
        with pytest.raises(SessionCorruptedError, match=reason):
            store.lease("s").acquire()


def test_unconditional_stores_have_no_leases(side: SyncSide):
    bucket = side.s3_bucket(
        "b", endpoint_url="http://127.0.0.1:1", region="us-east-1", conditional_writes="off"
    )
    refused = pytest.raises(NotSupportedError, match="leases need conditional writes")
    with pytest.warns(RuntimeWarning), refused:
        side.store(bucket).lease("s").acquire()


@pytest.mark.parametrize(
    "arguments",
    [
        {"ttl": timedelta(0)},
        {"ttl": 60},
        {"wait": timedelta(seconds=-1)},
        {"wait": 3},
        {"owner": 3},
        {"id": ""},
    ],
)
def test_bad_arguments_are_refused(store: Any, arguments: dict[str, Any]):
    with pytest.raises(InvalidArgumentError):
        store.lease(**{"id": "s"} | arguments)


def test_the_lease_of_another_session_is_refused(store: Any):
    with store.lease("s") as lease, pytest.raises(InvalidArgumentError, match="of session"):
        store.save(SessionData(id="t"), lease=lease)
    with pytest.raises(InvalidArgumentError):
        store.save(SessionData(id="t"), lease="lease")
    with pytest.raises(InvalidArgumentError, match="not acquired"):
        _ = store.lease("s").token


def test_a_check_leaves_leases_and_the_catalog(side: SyncSide, tmp_path: Path):
    store = side.store(side.file_bucket(tmp_path, fsync=False))
    store.lease("s").acquire()
    old = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    (tmp_path / ".sessionbucket/catalog").mkdir()
    (tmp_path / ".sessionbucket/catalog/a.jsonl.gz").write_bytes(b"x")
    for path in (tmp_path / KEY, tmp_path / ".sessionbucket/catalog/a.jsonl.gz"):
        os.utime(path, (old, old))
    assert list(store.check()) == []


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_racing_workers_never_overlap(side: SyncSide, kind: str, tmp_path: Path):
    bucket = side.make("MemoryBucket") if kind == "memory" else side.file_bucket(tmp_path, fsync=False)
    store = side.store(bucket)
    held: list[int] = []
    tokens: list[int] = []

    def work() -> None:
        for _ in range(8):
            with store.lease("s", ttl=timedelta(seconds=2), wait=timedelta(minutes=5)) as lease:
                held.append(lease.token)
                tokens.append(lease.token)
                assert len(held) == 1
                held.remove(lease.token)

    assert errors_in(at_once([work] * 4)) == []
    assert tokens == sorted(set(tokens)) == list(range(1, 33))
