"""The store: a check finds damaged sessions, orphans and stale objects; a repair removes those that are safe to remove."""

from __future__ import annotations

from typing import Any

from conformance.conftest import Opener
from conformance.locations import on_every_kind
from conformance.samples import artifacts_of, event_of, session_of
from sessionbucket import Finding, Problem, SessionStore


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
