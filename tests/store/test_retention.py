"""Sweeps: what they delete, what they keep, and what a session that is resumed meanwhile keeps."""

from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from both_sides import SyncSide
from conformance.samples import artifacts_of, event_of, report_of, session_of
from sessionbucket import InvalidArgumentError, NotSupportedError, Retention, StoreUnavailableError
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import ObjectVersion
from sessionbucket._core.retention import replaced_before

DAYS_90 = timedelta(days=90)
IDLE = Retention(idle=DAYS_90)
PARTS = ["artifacts/s/artifacts.json", "artifacts/s/files/f", "traces/s.json", "verification/s.json"]


def later(days: float = 100) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


@pytest.fixture(params=["memory", "folder"])
def bucket(request: pytest.FixtureRequest, side: SyncSide, tmp_path: Path) -> Any:
    inner = (
        side.make("MemoryBucket") if request.param == "memory" else side.file_bucket(tmp_path, fsync=False)
    )
    return side.make("FaultyBucket", inner)


@pytest.fixture
def store(side: SyncSide, bucket: Any) -> Any:
    store = side.store(bucket)
    fill(store, "s")
    return store


def fill(store: Any, id: str) -> None:
    store.save_turn(
        session_of(id),
        artifacts=artifacts_of("output"),
        trace_events=[event_of("x")],
        verification_reports=[report_of("y")],
    )
    store.put_file(id, "f", b"file")


def keys_of(bucket: Any) -> list[str]:
    rows = bucket.list_page("", limit=1000).objects
    return [info.key for info in rows if not info.key.startswith(".sessionbucket/")]


def sweep(store: Any, policy: Retention = IDLE, **arguments: Any) -> list[tuple[str, str]]:
    found = store.retention.sweep(policy, **{"now": later()} | arguments)
    return [(swept.outcome, swept.key) for swept in found]


def test_an_idle_session_goes_before_its_parts(store: Any, bucket: Any):
    bucket.calls.clear()
    assert sweep(store) == [("deleted", key) for key in ["s.json", *PARTS]]
    assert keys_of(bucket) == []
    deletes = [call.keys[0] for call in bucket.calls if call.operation in ("delete", "delete_if")]
    assert deletes[0] == "s.json"
    assert sweep(store) == []


def test_a_session_in_use_stays_whole(store: Any, bucket: Any):
    assert sweep(store, now=later(89)) == []
    assert len(keys_of(bucket)) == 5


def test_a_dry_run_shows_the_same_and_deletes_nothing(store: Any, bucket: Any):
    assert sweep(store, dry_run=True) == [("due", key) for key in ["s.json", *PARTS]]
    assert len(keys_of(bucket)) == 5


@pytest.mark.parametrize(
    ("name", "key"), [*zip(["artifacts", "files", "traces", "verification"], PARTS, strict=True)]
)
def test_each_part_has_its_own_time(store: Any, name: str, key: str):
    assert sweep(store, Retention(**{name: DAYS_90})) == [("deleted", key)]
    assert store.exists("s")


def test_only_the_prefix_is_swept(store: Any, bucket: Any):
    fill(store, "team/one")
    found = store.retention.sweep(IDLE, prefix="team/", now=later())
    assert {swept.id for swept in found} == {"team/one"}
    assert len(keys_of(bucket)) == 5


def test_young_parts_of_an_idle_session_stay_for_a_day(side: SyncSide, tmp_path: Path):
    store = side.store(side.file_bucket(tmp_path, fsync=False))
    fill(store, "s")
    old = later(-100).timestamp()
    for name in ("s.json", "traces/s.json"):
        os.utime(tmp_path / name, (old, old))
    found = sweep(store, now=datetime.now(UTC))
    assert found == [("deleted", "s.json"), ("deleted", "traces/s.json")]
    assert sweep(store, now=later(2)) == [("deleted", key) for key in PARTS if key != "traces/s.json"]


def save_other(store: Any) -> None:
    session = store.load("s")
    session.tool_names = ["new"]
    store.save(session)


def test_a_session_that_is_saved_after_the_listing_stays_with_its_parts(
    side: SyncSide, store: Any, bucket: Any
):
    writer = side.store(bucket.inner)
    bucket.run_before(lambda: save_other(writer), "head", key="s.json")
    assert sweep(store) == [("changed", "s.json")]
    assert len(keys_of(bucket)) == 5


def test_a_session_that_is_saved_again_with_equal_bytes_stays(side: SyncSide, tmp_path: Path):
    bucket = side.make("FaultyBucket", side.file_bucket(tmp_path, fsync=False))
    store = side.store(bucket)
    store.save(session_of("s"))
    before = (tmp_path / "s.json").stat().st_mtime - 10
    os.utime(tmp_path / "s.json", (before, before))
    body = (tmp_path / "s.json").read_bytes()
    bucket.run_before(lambda: (tmp_path / "s.json").write_bytes(body), "head", key="s.json")
    assert sweep(store) == [("changed", "s.json")]
    assert store.exists("s")


def test_a_session_that_is_saved_between_the_comparison_and_the_delete_stays(
    side: SyncSide, store: Any, bucket: Any
):
    writer = side.store(bucket.inner)
    bucket.run_before(lambda: save_other(writer), "delete_if", key="s.json")
    assert sweep(store) == [("changed", "s.json")]
    assert len(keys_of(bucket)) == 5


def test_a_session_that_is_made_again_keeps_its_parts(side: SyncSide, store: Any, bucket: Any):
    writer = side.store(bucket.inner)
    bucket.run_before(lambda: writer.save(session_of("s")), "list_page", key="artifacts/")
    assert sweep(store) == [("deleted", "s.json")]
    assert len(keys_of(bucket)) == 5


def test_an_interrupted_sweep_is_finished_by_the_next(store: Any, bucket: Any):
    bucket.fail("list_page", key="artifacts/", times=None)
    with pytest.raises(StoreUnavailableError):
        sweep(store)
    bucket.clear_faults()
    assert not store.exists("s")
    assert sweep(store) == [("deleted", key) for key in PARTS]


def test_orphans_stay_for_a_day(store: Any, bucket: Any):
    bucket.delete(["s.json"])
    assert sweep(store, now=later(0.9)) == []
    assert sweep(store, Retention(orphans=timedelta(hours=12)), now=later(0.9)) == [
        ("deleted", key) for key in PARTS
    ]


def test_parts_of_a_session_under_its_legacy_name_are_no_orphans(side: SyncSide, bucket: Any):
    store = side.store(bucket)
    store.save(session_of("a/b"))
    body = bucket.get("a%2Fb.json", max_bytes=10_000).body
    bucket.delete(["a%2Fb.json"])
    bucket.put(StoreKeys().legacy_keys("a/b").session, body)  # type: ignore[union-attr]
    store.put_file("a/b", "f", b"file")
    store.save_trace_events("a/b", [event_of("x")])
    assert sweep(store, Retention(), now=later()) == []
    assert store.open_file("a/b", "f").read() == b"file"


def test_a_lost_response_of_a_delete_is_no_error(store: Any, bucket: Any):
    bucket.drop_response("delete_if", key="s.json")
    assert sweep(store)[0] == ("deleted", "s.json")
    assert keys_of(bucket) == []


def test_a_folder_of_later_releases_of_a3s_code_is_refused(side: SyncSide, tmp_path: Path):
    store = side.store(side.file_bucket(tmp_path, fsync=False))
    path = tmp_path / StoreKeys().v1_session("s")
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(NotSupportedError):
        sweep(store)


@pytest.mark.parametrize("time", [timedelta(0), timedelta(days=-1), 90, "90d"])
def test_a_time_that_is_none_is_refused(time: Any):
    for name in ("idle", "files", "orphans", "history"):
        with pytest.raises(InvalidArgumentError, match=f"{name} .* is refused"):
            Retention(**{name: time})


def versions_by_id(store: Any, id: str) -> list[str]:
    return [version.version_id for version in store.history.versions(id)]


class TestHistory:
    """Versions of a versioned bucket. In memory their times are those of this process."""

    HISTORY = Retention(history=timedelta(days=7))

    @pytest.fixture
    def bucket(self, side: SyncSide) -> Any:
        return side.make("FaultyBucket", side.make("MemoryBucket", keep_versions=True))

    @pytest.fixture
    def store(self, side: SyncSide, bucket: Any) -> Any:
        store = side.store(bucket)
        for id in ("s", "s2"):
            session = session_of(id)
            for number in range(3):
                session.tool_names = [str(number)]
                store.save(session)
            store.save_trace_events(id, [event_of("x")])
            store.save_trace_events(id, [event_of("y")])
        return store

    def test_versions_that_were_replaced_long_ago_are_erased(self, store: Any):
        [current, *old] = versions_by_id(store, "s")
        swept = list(store.retention.sweep(self.HISTORY, prefix="s", now=later(8)))
        assert [each.version_id for each in swept if each.key == "s.json"] == old
        assert [each.key for each in swept].count("traces/s2.json") == 1
        assert {each.outcome for each in swept} == {"deleted"}
        assert versions_by_id(store, "s") == [current]
        assert store.load("s").tool_names == ["2"]
        assert store.load_trace_events("s") == [event_of("y")]
        assert list(store.retention.sweep(self.HISTORY, now=later(8))) == []

    def test_a_version_stays_while_it_was_replaced_lately(self, store: Any):
        assert list(store.retention.sweep(self.HISTORY, now=later(6))) == []
        now = datetime.now(UTC)
        rows = [
            ObjectVersion("k", "new", True, False, 1, now - timedelta(days=6)),
            ObjectVersion("k", "old", False, False, 1, now - timedelta(days=400)),
            ObjectVersion("k", "older", False, False, 1, now - timedelta(days=500)),
            ObjectVersion("l", "hidden", False, False, 1, now - timedelta(days=500)),
        ]
        assert [row.version_id for row in replaced_before(rows, now - timedelta(days=7))] == ["older"]

    def test_a_deleted_session_loses_its_versions_and_keeps_the_marker(self, store: Any):
        store.delete("s")
        dry = list(store.retention.sweep(self.HISTORY, now=later(8), dry_run=True))
        assert {each.outcome for each in dry} == {"due"}
        assert len(versions_by_id(store, "s")) == 4
        swept = list(store.retention.sweep(self.HISTORY, now=later(8)))
        assert [each[:2] for each in swept] == [each[:2] for each in dry]
        assert [version.is_delete for version in store.history.versions("s")] == [True]
        assert not store.exists("s")

    def test_pages_and_other_keys(self, side: SyncSide, store: Any, bucket: Any):
        for number in range(1200):
            bucket.inner.put("big.json", str(number).encode())
        for key in ("langgraph/t.json", "notes.txt", ".sessionbucket/leases/s.json"):
            bucket.inner.put(key, b"1")
            bucket.inner.put(key, b"2")
        swept = list(store.retention.sweep(self.HISTORY, now=later(8)))
        assert len([each for each in swept if each.id == "big"]) == 1199
        assert {each.id for each in swept} == {"big", "s", "s2"}
        assert versions_by_id(store, "big") == versions_by_id(store, "big")[:1]

    def test_a_bucket_without_versions_is_refused(self, side: SyncSide):
        with pytest.raises(NotSupportedError, match="keeps no versions"):
            list(side.store(side.make("MemoryBucket")).retention.sweep(self.HISTORY))


def test_bad_arguments_are_refused(store: Any):
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    for arguments in ({"policy": None}, {"now": naive}, {"prefix": 3}):
        with pytest.raises(InvalidArgumentError):
            store.retention.sweep(**{"policy": IDLE} | arguments)


def test_a_policy_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(IDLE)) == IDLE


def test_2500_sessions_are_swept_page_by_page(side: SyncSide):
    bucket = side.make("MemoryBucket")
    store = side.store(bucket)
    for number in range(2500):
        bucket.put(f"{number:04}.json", b"{}")
    assert sweep(store) == [("deleted", f"{number:04}.json") for number in range(2500)]
