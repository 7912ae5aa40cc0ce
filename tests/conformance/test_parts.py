"""The store: artifacts, trace events and verification reports."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.conftest import Opener
from conformance.locations import FIXTURES, on_every_kind
from conformance.samples import artifacts_of, event_of, report_of, session_of
from sessionbucket import (
    InvalidArgumentError,
    SessionCorruptedError,
    SessionStore,
    SessionTooLargeError,
)
from sessionbucket.models import ArtifactStore

PARTS = ["artifacts/s/artifacts.json", "traces/s.json", "verification/s.json"]


def load_of(store: SessionStore[Any], part: str) -> Any:
    loads = (store.load_artifacts, store.load_trace_events, store.load_verification_reports)
    return loads[PARTS.index(part)]


def test_missing_parts_are_none(store: SessionStore[Any]):
    store.save(session_of("s"))
    for id in ("s", "nothing", "no/thing"):
        assert store.load_artifacts(id) is None
        assert store.load_trace_events(id) is None
        assert store.load_verification_reports(id) is None
        assert store.list_files(id) == []


@on_every_kind
def test_load_returns_the_saved_parts(store: SessionStore[Any]):
    artifacts, events, reports = (
        artifacts_of("one", "zwei"),
        [event_of("read"), event_of("grep")],
        [report_of("p")],
    )
    store.save_artifacts("s", artifacts)
    store.save_trace_events("s", events)
    store.save_verification_reports("s", reports)
    assert store.load_artifacts("s") == artifacts
    assert store.load_trace_events("s") == events
    assert store.load_verification_reports("s") == reports


def test_parts_may_be_saved_before_their_session_and_do_not_create_it(store: SessionStore[Any]):
    store.save_trace_events("s", [event_of("read")])
    assert not store.exists("s")
    assert store.list() == []
    store.save(session_of("s"))
    assert store.load_trace_events("s") == [event_of("read")]


def test_a_save_of_parts_replaces_the_previous_ones(store: SessionStore[Any]):
    for name in ("first", "second"):
        store.save_artifacts("s", artifacts_of(name))
        store.save_trace_events("s", [event_of(name)])
        store.save_verification_reports("s", [report_of(name)])
    assert store.load_artifacts("s") == artifacts_of("second")
    assert store.load_trace_events("s") == [event_of("second")]
    assert store.load_verification_reports("s") == [report_of("second")]


def test_empty_parts_are_saved_as_empty_and_are_not_none(store: SessionStore[Any], opener: Opener):
    store.save_artifacts("s", ArtifactStore())
    store.save_trace_events("s", [])
    store.save_verification_reports("s", [])
    assert [opener.read(part) for part in PARTS] == [b'{\n  "artifacts": []\n}', b"[]", b"[]"]
    assert store.load_artifacts("s") == ArtifactStore()
    assert store.load_trace_events("s") == []
    assert store.load_verification_reports("s") == []


@pytest.mark.parametrize("name", ["artifacts.json", "artifacts_empty.json"])
def test_golden_artifacts_come_back_byte_for_byte(store: SessionStore[Any], opener: Opener, name: str):
    body = (FIXTURES / "a3s" / name).read_bytes()
    opener.write("artifacts/s/artifacts.json", body)
    artifacts = store.load_artifacts("s")
    assert artifacts is not None
    store.save_artifacts("t", artifacts)
    assert opener.read("artifacts/t/artifacts.json") == body


def test_golden_traces_and_reports_come_back_byte_for_byte(store: SessionStore[Any], opener: Opener):
    traces = (FIXTURES / "a3s" / "traces.json").read_bytes()
    reports = (FIXTURES / "a3s" / "verification.json").read_bytes()
    opener.write("traces/s.json", traces)
    opener.write("verification/s.json", reports)
    store.save_trace_events("t", store.load_trace_events("s") or [])
    store.save_verification_reports("t", store.load_verification_reports("s") or [])
    assert opener.read("traces/t.json") == traces
    assert opener.read("verification/t.json") == reports


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("body", [b"", b"{", b"null", b'"text"', b"[1]"])
def test_a_damaged_part_raises_an_error_with_its_key(
    store: SessionStore[Any], opener: Opener, part: str, body: bytes
):
    store.save(session_of("s"))
    opener.write(part, body)
    with pytest.raises(SessionCorruptedError) as caught:
        load_of(store, part)("s")
    assert caught.value.key == opener.location.key(part)
    assert opener.read(part) == body
    assert store.load("s") is not None


def test_appended_events_follow_the_previous_ones(store: SessionStore[Any], opener: Opener):
    store.append_trace_events("s", [])
    assert opener.names() == []
    store.append_trace_events("s", [event_of("a")])
    store.append_trace_events("s", [event_of("b"), event_of("c")])
    store.append_trace_events("s", [])
    assert store.load_trace_events("s") == [event_of("a"), event_of("b"), event_of("c")]


def test_events_are_not_appended_to_damaged_ones(store: SessionStore[Any], opener: Opener):
    opener.write("traces/s.json", b"[")
    with pytest.raises(SessionCorruptedError):
        store.append_trace_events("s", [event_of("a")])
    assert opener.read("traces/s.json") == b"["


def test_an_append_with_less_than_one_attempt_is_refused(store: SessionStore[Any]):
    with pytest.raises(InvalidArgumentError, match="attempts"):
        store.append_trace_events("s", [event_of("a")], attempts=0)


@on_every_kind
def test_a_part_over_the_limit_is_neither_written_nor_read(opener: Opener):
    small, large = opener.store(max_bytes=1000), opener.store()
    with pytest.raises(SessionTooLargeError):
        small.save_artifacts("s", artifacts_of("x" * 1000))
    with pytest.raises(SessionTooLargeError):
        small.append_trace_events("s", [event_of("x" * 1000)])
    assert opener.names() == []
    large.save_artifacts("s", artifacts_of("x" * 1000))
    with pytest.raises(SessionTooLargeError):
        small.load_artifacts("s")


def test_a_saved_artifact_store_is_a_copy(store: SessionStore[Any]):
    artifacts = artifacts_of("one")
    store.save_artifacts("s", artifacts)
    artifacts.artifacts.clear()
    assert store.load_artifacts("s") == artifacts_of("one")
