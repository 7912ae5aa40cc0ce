"""The store: a check finds damaged sessions, orphans and stale objects; a repair removes those that are safe to remove."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from conformance.conftest import Opener
from conformance.locations import MOTO, SEAWEEDFS, in_memory, on_every_kind
from conformance.samples import artifacts_of, event_of, session_of
from sessionbucket import AccessDeniedError, Finding, Problem, SessionStore
from sessionbucket.testing import AsyncFaultyBucket, FaultyBucket


def findings_of(store: SessionStore[Any]) -> list[Finding]:
    return list(store.check())


def test_a_sound_store_gives_no_finding(opener: Opener):
    store = opener.store()
    store.save_turn(session_of("a/b"), artifacts=artifacts_of("output"), trace_events=[event_of("x")])
    store.put_file("a/b", "report.pdf", b"pdf")
    body = opener.read("a%2Fb.json").replace(b'"a/b"', b'"foo/bar"')
    opener.write("foo_bar.json", body)
    assert findings_of(store) == []


@on_every_kind
def test_truncated_foreign_and_misplaced_sessions_are_found_and_do_not_stop_the_check(opener: Opener):
    store = opener.store()
    store.save(session_of("good"))
    body = opener.read("good.json")
    opener.write("truncated.json", body[:-20])
    opener.write("foreign.json", b"<xml/>")
    opener.write("other.json", body)
    found = findings_of(store)
    key = opener.location.key
    assert [(finding.key, finding.problem) for finding in found] == [
        (key("foreign.json"), Problem.CORRUPTED),
        (key("other.json"), Problem.CORRUPTED),
        (key("truncated.json"), Problem.CORRUPTED),
    ]
    assert "'good'" in found[1].detail
    assert store.list() == ["foreign", "good", "other", "truncated"]
    assert store.load("good")


@on_every_kind
def test_parts_without_a_session_are_found(opener: Opener):
    store = opener.store()
    store.save(session_of("here"))
    for id in ("here", "gone"):
        store.save_artifacts(id, artifacts_of("output"))
        store.put_file(id, "x.bin", b"x")
        store.save_trace_events(id, [event_of("x")])
        store.save_verification_reports(id, [])
    key = opener.location.key
    assert {finding.key for finding in findings_of(store)} == {
        key("artifacts/gone/artifacts.json"),
        key("artifacts/gone/files/x.bin"),
        key("traces/gone.json"),
        key("verification/gone.json"),
    }


def test_a_repair_removes_nothing_that_is_not_safe_to_remove(opener: Opener):
    store = opener.store()
    opener.write("truncated.json", b"{")
    store.save_trace_events("gone", [event_of("x")])
    before = opener.names()
    findings = findings_of(store)
    assert len(findings) == 2
    assert store.repair(findings) == []
    assert opener.names() == before


def test_a_running_probe_is_no_finding(opener: Opener):
    opener.write(".sessionbucket/probe/x/once", b"1")
    assert findings_of(opener.store()) == []


@pytest.mark.parametrize("location", [MOTO, SEAWEEDFS], indirect=True)
def test_an_abandoned_upload_is_found_and_a_repair_leaves_the_file_there(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
):
    for side in ("_async", "_sync"):
        monkeypatch.setattr(f"sessionbucket.{side}.store_check._MAY_BE_IN_USE", timedelta(days=-1))
    store, location = opener.store(), opener.location
    store.save(session_of("s"))
    store.put_file("s", "x.bin", b"whole")
    at = {"Bucket": location.bucket, "Key": location.key("artifacts/s/files/x.bin")}
    location.raw.create_multipart_upload(**at)
    [finding] = [finding for finding in findings_of(store) if finding.upload_id]
    assert (finding.key, finding.problem, finding.removable) == (at["Key"], Problem.STALE, True)
    assert store.repair([finding]) == [finding]
    assert store.repair([finding]) == [finding]
    assert not any(finding.upload_id for finding in findings_of(store))
    with store.open_file("s", "x.bin") as file:
        assert file.read() == b"whole"


@in_memory
def test_a_check_without_the_permission_to_list_uploads_checks_the_rest(opener: Opener):
    bucket = opener.side.wrapper(opener.bucket(), FaultyBucket, AsyncFaultyBucket)
    store = opener.side.store(bucket)
    store.save_artifacts("gone", artifacts_of("output"))
    bucket.fail("temporary_objects", error=AccessDeniedError("no", location=store.location))
    assert [finding.problem for finding in findings_of(store)] == [Problem.ORPHAN]
    assert bucket.pending == []
