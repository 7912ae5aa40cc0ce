"""History: earlier versions of a session are listed, loaded, compared, restored and undone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from both_sides import unwrapped
from conformance.canaries import left
from conformance.conftest import Opener
from conformance.locations import MOTO, OBSTORE, VERSIONED, WITHOUT_SERVER
from conformance.samples import artifacts_of, say, session_of, texts_of
from sessionbucket import (
    InvalidArgumentError,
    NotSupportedError,
    Retention,
    SessionConflictError,
    StoreUnavailableError,
    VersionNotFoundError,
)
from sessionbucket.testing import AsyncFaultyBucket, FaultyBucket

in_versioned_memory = pytest.mark.parametrize("location", VERSIONED[:1], indirect=True)


def faulty(opener: Opener) -> Any:
    return opener.side.wrapper(opener.bucket(), FaultyBucket, AsyncFaultyBucket)


def saved(store: Any, *texts: str, id: str = "s") -> Any:
    """A session that was saved once after each text."""
    session = session_of(id, texts[0])
    store.save(session)
    for text in texts[1:]:
        say(session, text)
        store.save(session)
    return session


def versions_of(store: Any, id: str = "s") -> list[Any]:
    return list(store.history.versions(id))


def test_every_save_is_a_version_and_loads_as_it_was(store: Any):
    saved(store, "one", "two", "three")
    saved(store, "of another", id="s2")
    saved(store, "of another", id="s.json")
    found = versions_of(store)
    assert [texts_of(store.history.load("s", each.version_id)) for each in found] == [
        ["one", "two", "three"],
        ["one", "two"],
        ["one"],
    ]
    assert [each.is_current for each in found] == [True, False, False]
    assert store.version_of(store.load("s")) == found[0].version
    assert not any(each.is_delete for each in found)
    assert all(datetime.now(UTC) - each.saved_at < timedelta(minutes=5) for each in found)
    assert versions_of(store, "missing") == []


def test_a_loaded_version_cannot_be_saved_over_the_current_one(store: Any):
    saved(store, "one", "two")
    past = store.history.load("s", versions_of(store)[-1].version_id)
    assert store.version_of(past) is None
    with pytest.raises(SessionConflictError):
        store.save(past)
    assert texts_of(store.load("s")) == ["one", "two"]


def test_a_restore_is_a_new_version_with_the_old_bytes(store: Any, opener: Opener):
    saved(store, "one", "two")
    first = opener.bucket().get_version(
        opener.location.key("s.json"), versions_of(store)[-1].version_id, max_bytes=1 << 20
    )
    restored = store.history.restore("s", versions_of(store)[-1].version_id)
    assert texts_of(restored) == ["one"]
    assert len(versions_of(store)) == 3
    assert opener.read("s.json") == first.body
    say(restored, "on")
    store.save(restored)
    assert texts_of(store.load("s")) == ["one", "on"]


def test_a_deleted_session_comes_back(store: Any):
    saved(store, "one", "two")
    store.delete("s")
    assert [each.is_delete for each in versions_of(store)].count(True) == 1
    assert texts_of(store.history.undo("s")) == ["one", "two"]
    assert store.list() == ["s"]
    store.delete("s")
    oldest = [each for each in versions_of(store) if not each.is_delete][-1]
    store.history.restore("s", oldest.version_id)
    assert texts_of(store.load("s")) == ["one"]


def test_an_undo_of_an_undo_brings_the_contents_back(store: Any):
    session = saved(store, "one", "two")
    store.save(session)  # a version with equal contents is no step
    assert texts_of(store.history.undo("s")) == ["one"]
    assert texts_of(store.history.undo("s")) == ["one", "two"]
    assert texts_of(store.history.undo("s")) == ["one"]


def test_there_is_nothing_to_undo_before_the_first_save(store: Any):
    saved(store, "one")
    with pytest.raises(VersionNotFoundError, match="with other contents"):
        store.history.undo("s")
    with pytest.raises(VersionNotFoundError):
        store.history.undo("missing")


def test_a_version_that_is_not_kept_is_an_error_of_ours(store: Any):
    saved(store, "one")
    for version_id in ("0" * 32, "no-version"):
        with pytest.raises(VersionNotFoundError) as caught:
            store.history.load("s", version_id)
        assert (caught.value.session_id, caught.value.version_id) == ("s", version_id)
    store.delete("s")
    marker = next(each for each in versions_of(store) if each.is_delete)
    with pytest.raises(VersionNotFoundError):
        store.history.restore("s", marker.version_id)
    with pytest.raises(InvalidArgumentError):
        store.history.load("s", "")


def test_a_session_as_of_a_moment(store: Any):
    saved(store, "one")
    now = datetime.now(UTC)
    assert texts_of(store.history.load_as_of("s", now + timedelta(seconds=5))) == ["one"]
    with pytest.raises(VersionNotFoundError, match="saved by then"):
        store.history.load_as_of("s", now - timedelta(hours=1))
    with pytest.raises(InvalidArgumentError, match="time zone"):
        store.history.load_as_of("s", datetime(2026, 1, 1))  # noqa: DTZ001
    store.delete("s")
    with pytest.raises(VersionNotFoundError, match="deleted"):
        store.history.load_as_of("s", now + timedelta(seconds=5))


def test_of_saves_within_a_second_the_last_counts(store: Any):
    session = saved(store, "1")
    for number in range(2, 8):
        say(session, str(number))
        store.save(session)
    moment = versions_of(store)[0].saved_at
    assert len(store.history.load_as_of("s", moment).messages) == 7
    assert [len(store.history.load("s", each.version_id).messages) for each in versions_of(store)] == [
        7,
        6,
        5,
        4,
        3,
        2,
        1,
    ]


@in_versioned_memory
def test_a_diff_has_the_messages_and_members_that_differ(store: Any):
    session = saved(store, "one", "two")
    session.messages[1:] = []
    say(session, "other")
    session.config.name = "renamed"
    store.save(session)
    newest, before, _ = versions_of(store)
    diff = store.history.diff("s", before.version_id)
    assert diff.common == 1
    assert [message["content"][0]["text"] for message in diff.dropped] == ["two"]
    assert [message["content"][0]["text"] for message in diff.added] == ["other"]
    assert diff.changed["config.name"] == (before_name(store, before), "renamed")
    assert store.history.diff("s", before.version_id, newest.version_id) == diff
    same = store.history.diff("s", newest.version_id)
    assert (same.common, same.dropped, same.added, same.changed) == (2, [], [], {})


def before_name(store: Any, version: Any) -> Any:
    return store.history.load("s", version.version_id).config.name


def test_a_restore_that_meets_another_writer_writes_nothing(opener: Opener):
    bucket = faulty(opener)
    key = opener.location.key("")
    store, other = opener.side.store(bucket, key), opener.store()
    session = saved(other, "one", "two")
    oldest = versions_of(other)[-1].version_id

    def save() -> None:
        say(session, "meanwhile")
        other.save(session)

    bucket.run_before(save, "put", key="*s.json")
    with pytest.raises(SessionConflictError) as caught:
        store.history.restore("s", oldest)
    assert caught.value.outcome == "not written"
    assert texts_of(other.load("s")) == ["one", "two", "meanwhile"]


@pytest.mark.parametrize("is_executed", [True, False])
def test_a_restore_whose_response_was_lost_is_resolved(opener: Opener, is_executed: bool):
    bucket = faulty(opener)
    store = opener.side.store(bucket, opener.location.key(""))
    saved(store, "one", "two")
    oldest = versions_of(store)[-1].version_id
    (bucket.drop_response if is_executed else bucket.drop_request)("put", key="*s.json")
    assert texts_of(store.history.restore("s", oldest)) == ["one"]
    assert bucket.pending == []
    assert len(versions_of(store)) == 3


@in_versioned_memory
def test_a_restore_without_any_response_has_an_unknown_outcome(opener: Opener):
    bucket = faulty(opener)
    store = opener.side.store(bucket)
    saved(store, "one", "two")
    oldest = versions_of(store)[-1].version_id
    bucket.drop_request("put", key="s.json", times=None)
    bucket.fail("head", key="s.json", nth=2, times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        store.history.restore("s", oldest)
    assert caught.value.outcome == "unknown"


@in_versioned_memory
def test_a_session_with_a_legacy_name_has_its_history(store: Any, opener: Opener):
    store.save(session_of("x/y", "one"))
    opener.write("a_b.json", opener.read("x%2Fy.json").replace(b'"x/y"', b'"a/b"'))
    session = store.load("a/b")
    say(session, "two")
    store.save(session)
    assert [texts_of(store.history.load("a/b", each.version_id)) for each in versions_of(store, "a/b")] == [
        ["one", "two"],
        ["one"],
    ]
    store.delete("a/b")
    assert texts_of(store.history.undo("a/b")) == ["one", "two"]


def test_old_versions_are_erased_beyond_the_newest(store: Any, opener: Opener):
    session = saved(store, "one", "two", "three", "four")
    for number in range(3):
        store.save_artifacts("s", artifacts_of(str(number)))
    saved(store, "a", "b", id="s2")
    report = store.history.erase("s", keep=2)
    assert report.erased_versions == 3
    assert len(versions_of(store)) == 2
    assert len(versions_of(store, "s2")) == 2
    assert left(opener).count(opener.location.key("artifacts/s/artifacts.json")) == 2
    assert store.history.erase("s").erased_versions == 2
    assert store.load("s") == session
    with pytest.raises(InvalidArgumentError):
        store.history.erase("s", keep=0)


def test_a_sweep_erases_versions_that_were_replaced_long_ago(store: Any):
    saved(store, "one", "two", "three")
    saved(store, "one", "two", id="s2")
    now = datetime.now(UTC) + timedelta(days=8)
    policy = Retention(history=timedelta(days=7))
    swept = list(store.retention.sweep(policy, prefix="s", now=now))
    assert sorted((each.id, each.outcome) for each in swept) == [("s", "deleted")] * 2 + [("s2", "deleted")]
    assert [version.is_current for version in versions_of(store)] == [True]
    assert texts_of(store.load("s")) == ["one", "two", "three"]


@pytest.mark.parametrize("location", WITHOUT_SERVER, indirect=True)
def test_a_bucket_without_versions_says_what_to_do(store: Any):
    saved(store, "one")
    with pytest.raises(NotSupportedError, match=r"keeps no versions.*turn versioning on"):
        versions_of(store)
    with pytest.raises(NotSupportedError, match="keeps no versions"):
        store.history.load("s", "x")
    with pytest.raises(NotSupportedError, match="keeps no versions"):
        store.history.erase("s")


@pytest.mark.parametrize("location", [f"{MOTO}/versioned+auto"], indirect=True)
def test_the_automatic_engine_has_history_and_erases(opener: Opener):
    with opener.side.make("open_store", opener.location.url()) as store:
        assert "Obstore" in type(unwrapped(store.bucket)).__name__
        saved(store, "one", "two")
        assert len(versions_of(store)) == 2
        store.history.undo("s")
        assert texts_of(store.load("s")) == ["one"]
        assert store.purge("s").erased_versions == 4
        assert [key for key in left(opener) if ".sessionbucket/" not in key] == []


@pytest.mark.parametrize("location", [f"{MOTO}/versioned+{OBSTORE}"], indirect=True)
def test_a_session_of_another_library_has_no_history_by_obstore(opener: Opener):
    session = boto3.Session("a", "b", region_name="us-east-1")
    bucket = opener.side.make(
        "ObstoreBucket", opener.location.bucket, session=session, endpoint_url=opener.location.endpoint_url
    )
    store = opener.side.store(bucket, opener.location.prefix)
    saved(store, "one")
    if opener.side.name == "sync":
        assert len(versions_of(store)) == 1
        return
    for call in (lambda: versions_of(store), lambda: store.purge("s")):
        with pytest.raises(NotSupportedError, match="open it with engine=aioboto3"):
            call()
    assert list(store.check()) == []
    assert store.exists("s")
