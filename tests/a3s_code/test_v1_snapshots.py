"""Stores of a3s-code 5.0 and later: their snapshots are listed, loaded, checked and copied, and never written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from a3s_code.snapshots import (
    RUNS,
    TASKS,
    body_of,
    printed,
    snapshot_of,
    v1_name,
    write_snapshot,
)
from conformance.conftest import Opener
from conformance.locations import FILE, MEMORY, SEAWEEDFS
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from conformance.wrapped_buckets import AsyncCountingBucket, CountingBucket
from sessionbucket import NotSupportedError, Problem, SessionConflictError, SessionCorruptedError

IDS = ("s", "a/b", "日本", "schedule:nightly", "foo_bar")

on_each = pytest.mark.parametrize("location", [FILE, MEMORY, SEAWEEDFS], indirect=True)
in_a_folder = pytest.mark.parametrize("location", [FILE], indirect=True)
in_a_bucket = pytest.mark.parametrize("location", [MEMORY], indirect=True)


@on_each
@pytest.mark.parametrize("id", IDS)
def test_a_snapshot_is_loaded_with_its_parts(opener: Opener, id: str):
    write_snapshot(opener, id)
    store = opener.store()
    assert store.exists(id)
    assert texts_of(store.load(id)) == ["of a snapshot"]
    artifacts = store.load_artifacts(id)
    assert artifacts.artifacts == artifacts_of(f"artifact of {id}").artifacts
    assert artifacts.retained_uris == ["a3s://tool-output/test/0"]
    assert store.load_trace_events(id) == [event_of(f"event of {id}")]
    assert store.load_verification_reports(id) == [report_of(f"report of {id}")]
    assert [name for name, found in store.load_many([id, "nothing"]) if found] == [id]
    assert store.load("nothing") is None
    assert not store.exists("nothing")


@on_each
def test_a_snapshot_without_parts_has_empty_ones(opener: Opener):
    write_snapshot(opener, "s", parts=False)
    store = opener.store()
    assert store.load_artifacts("s").artifacts == []
    assert store.load_trace_events("s") == []
    assert store.load_verification_reports("s") == []


@on_each
def test_snapshots_are_listed_in_order_among_the_other_sessions(opener: Opener):
    for id in ("b", "d/1", "y", "日本"):
        write_snapshot(opener, id)
    for id in ("a", "c", "d", "y", "z"):
        opener.write(f"{id}.json", body_of(session_of(id)))
    opener.write("v1/sessions/id_Yg.json.17.4.0.tmp", b"{")
    opener.write("v1/sessions/other.json", b"{}")
    opener.write("v1/wal/session-store.log", b"x")
    store = opener.store()
    expected = ["日本", "a", "b", "c", "d/1", "d", "y", "z"]
    assert store.list() == expected
    for concurrency in (1, 3):
        assert [info.id for info in store.iter_sessions(concurrency=concurrency)] == expected
    assert [info.id for info in store.iter_sessions(prefix="d")] == ["d/1", "d"]
    for limit in (1, 2, 3, 8, 100):
        paged: list[str] = []
        cursor: str | None = None
        while True:
            page = store.list_page(limit=limit, cursor=cursor)
            assert len(page.sessions) <= limit
            paged += [info.id for info in page.sessions]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert paged == expected
    assert [info.id for info in store.list_page(prefix="d/").sessions] == ["d/1"]
    assert opener.store("other").list() == []


@on_each
def test_a_session_saved_alone_in_the_v1_layout_has_its_parts_in_objects_of_their_own(opener: Opener):
    session = session_of("a/b", "alone")
    opener.write(v1_name("a/b"), body_of(session))
    opener.write(v1_name("a/b", "traces"), printed([]))
    store = opener.store()
    assert texts_of(store.load("a/b")) == ["alone"]
    assert store.load_trace_events("a/b") == []
    assert store.load_artifacts("a/b") is None
    assert list(store.check()) == []


def writes(store: Any) -> list[Callable[[], Any]]:
    new = session_of("new")
    return [
        lambda: store.save(new),
        lambda: store.save(new, overwrite=True),
        lambda: store.save_turn(new, trace_events=[event_of("x")]),
        lambda: store.update("s", lambda session: say(session, "more")),
        lambda: store.update("new", lambda session: say(session, "x"), create=lambda: session_of("new")),
        lambda: store.save_artifacts("s", artifacts_of("x")),
        lambda: store.save_trace_events("s", []),
        lambda: store.append_trace_events("s", [event_of("x")]),
        lambda: store.save_verification_reports("s", []),
        lambda: store.put_file("s", "x.txt", b"x"),
        lambda: store.delete_file("s", "x.txt"),
        lambda: store.delete("s"),
        lambda: store.delete("nothing"),
    ]


@in_a_folder
@pytest.mark.parametrize("number", range(len(writes(None))))
def test_a_folder_with_snapshots_is_not_written(opener: Opener, number: int):
    write_snapshot(opener, "s")
    before = opener.read(v1_name("s"))
    store = opener.store()
    with pytest.raises(NotSupportedError, match=r"v1/sessions/.*copy_sessions.*sessionbucket cp"):
        writes(store)[number]()
    assert opener.names() == [v1_name("s")]
    assert opener.read(v1_name("s")) == before


@in_a_folder
def test_an_upgrade_of_the_folder_is_noticed_by_an_open_store(opener: Opener):
    store = opener.store()
    session = session_of("s", "older")
    store.save(session)
    write_snapshot(opener, "s", "newer")
    assert texts_of(store.load("s")) == ["newer"]
    with pytest.raises(NotSupportedError):
        store.save(session)
    assert store.list() == ["s"]


@in_a_folder
def test_an_upgraded_folder_prefers_the_snapshots(opener: Opener):
    opener.write("foo_bar.json", body_of(session_of("foo/bar", "stale")))
    opener.write("traces/foo_bar.json", printed([]))
    opener.write("only_old.json", body_of(session_of("only_old", "old")))
    write_snapshot(opener, "foo/bar", "current")
    store = opener.store()
    assert texts_of(store.load("foo/bar")) == ["current"]
    assert store.load_trace_events("foo/bar") == [event_of("event of foo/bar")]
    assert texts_of(store.load("only_old")) == ["old"]
    assert list(store.check()) == []


@on_each
def test_unreadable_snapshots_are_found_by_a_check_and_by_a_load(opener: Opener):
    write_snapshot(opener, "good")
    opener.write(v1_name("damaged"), snapshot_of(session_of("damaged"))[:-40])
    opener.write(v1_name("future"), snapshot_of(session_of("future"), schema_version=2))
    opener.write(v1_name("encrypted"), b"A3SE\x01" + bytes(40))
    opener.write(v1_name("moved"), snapshot_of(session_of("other")))
    opener.write(v1_name("part"), snapshot_of(session_of("part"), trace_events=[{"schema": 1}]))
    opener.write(v1_name("empty"), printed({"schema_version": 1}))
    opener.write(v1_name("日" * 23), b"{}")
    store = opener.store()
    found = {finding.key: finding for finding in store.check()}
    expected = ("damaged", "future", "encrypted", "moved", "part", "empty", "日" * 23)
    assert set(found) == {opener.location.key(v1_name(id)) for id in expected}
    assert {finding.problem for finding in found.values()} == {Problem.CORRUPTED}
    assert not any(finding.removable for finding in found.values())
    reasons = {
        "damaged": "not JSON",
        "future": "schema version",
        "encrypted": "encrypted",
        "moved": "'other'",
        "empty": "'session'",
    }
    for id, reason in reasons.items():
        with pytest.raises(SessionCorruptedError, match=reason) as caught:
            store.load(id)
        assert caught.value.key == opener.location.key(v1_name(id))
    assert store.load("part") is not None
    with pytest.raises(SessionCorruptedError, match="schema"):
        store.load_trace_events("part")


@in_a_bucket
def test_in_a_bucket_a_save_makes_an_own_session_and_leaves_the_snapshot(opener: Opener):
    write_snapshot(opener, "s")
    before = opener.read(v1_name("s"))
    store = opener.store()
    session, stale = store.load("s"), store.load("s")
    say(session, "more")
    store.save(session)
    assert opener.names() == ["s.json", v1_name("s")]
    assert opener.read(v1_name("s")) == before
    assert texts_of(store.load("s")) == ["of a snapshot", "more"]
    with pytest.raises(SessionConflictError):
        store.save(stale)
    assert store.list() == ["s"]
    store.append_trace_events("s", [event_of("more")])
    assert store.load_trace_events("s") == [event_of("event of s"), event_of("more")]
    assert list(store.check()) == []


@in_a_bucket
def test_in_a_bucket_a_delete_that_would_uncover_a_snapshot_is_refused(opener: Opener):
    write_snapshot(opener, "s")
    store = opener.store()
    store.save(session_of("other"))
    with pytest.raises(NotSupportedError, match="'s' is in the v1 layout"):
        store.delete("s")
    store.delete("other")
    assert store.list() == ["s"]


@in_a_bucket
def test_a_bucket_is_searched_for_snapshots_once_and_never_for_a_save(opener: Opener):
    bucket = opener.side.wrapper(opener.bucket(), CountingBucket, AsyncCountingBucket)
    store = opener.side.store(bucket)
    session = session_of("s")
    store.save(session)
    store.save(session)
    store.load("s")
    assert bucket.counts == Counter(put=2, get=1)
    bucket.counts.clear()
    for _ in range(3):
        assert store.load("nothing") is None
    assert bucket.counts == Counter(get=3, list_page=1)
    bucket.counts.clear()
    store.list()
    store.list_page(limit=1)
    list(store.iter_sessions(concurrency=4))
    assert bucket.counts == Counter(list_page=3)
    bucket.counts.clear()
    list(opener.side.store(bucket).iter_sessions(concurrency=4))
    assert bucket.counts == Counter(list_page=1)


@pytest.mark.parametrize("location", [FILE, MEMORY], indirect=True)
def test_a_copy_has_the_objects_that_the_snapshot_would_be(opener: Opener):
    one, other = session_of("a/b", "one"), session_of("plain", "two")
    opener.write(v1_name("a/b"), snapshot_of(one))
    opener.write(v1_name("plain"), snapshot_of(other, parts=False))
    opener.write("stale.json", body_of(session_of("stale")))
    source = opener.store()
    bucket = opener.side.make("MemoryBucket")
    target = opener.side.store(bucket)
    copy = opener.side.make("copy_sessions", source, target)
    assert [(result.id, result.outcome) for result in copy] == [
        ("a/b", "copied"),
        ("plain", "copied"),
        ("stale", "copied"),
    ]
    root = "a%2Fb"
    expected = {
        f"{root}.json": body_of(one),
        f"traces/{root}.json": printed([json.loads(body_of(event_of("event of a/b")))]),
        f"runs/{root}.json": printed(RUNS),
        f"subagent_tasks/{root}.json": printed(TASKS),
        "plain.json": body_of(other),
    }
    for key, body in expected.items():
        assert bucket.get(key, max_bytes=1 << 20).body == body
    assert target.load_artifacts("a/b") == source.load_artifacts("a/b")
    assert target.load_verification_reports("a/b") == source.load_verification_reports("a/b")
    keys = {info.key for info in bucket.list_page("", limit=1000).objects}
    assert keys == {
        *expected,
        f"artifacts/{root}/artifacts.json",
        f"verification/{root}.json",
        "stale.json",
    }
    again = opener.side.make("copy_sessions", source, target, ["a/b", "plain"])
    assert [result.outcome for result in again] == ["same", "same"]
    opener.write(v1_name("plain"), snapshot_of(other, parts=False, subagent_tasks=TASKS))
    opener.write(v1_name("a/b"), snapshot_of(one, subagent_tasks=[{"task_id": "u"}]))
    third = opener.side.make("copy_sessions", source, target)
    assert [(result.id, result.outcome, result.detail) for result in third] == [
        ("a/b", "conflict", "subagent_tasks"),
        ("plain", "copied", ""),
        ("stale", "same", ""),
    ]


@in_a_folder
def test_a_copy_into_a_folder_with_snapshots_fails_and_changes_nothing(opener: Opener):
    write_snapshot(opener, "s")
    names = opener.names()
    source = opener.side.store(opener.side.make("MemoryBucket"))
    source.save_turn(session_of("new"), trace_events=[event_of("x")])
    (result,) = opener.side.make("copy_sessions", source, opener.store())
    assert (result.outcome, "v1/sessions/" in result.detail) == ("failed", True)
    assert opener.names() == names
