"""The store: a check finds what is not as it should be, and a repair removes what is safe to remove."""

from __future__ import annotations

from typing import Any

from conformance._async.conftest import Opener
from conformance.samples import artifacts_of, event_of, session_of
from sessionbucket import AsyncSessionStore, Finding, Problem


async def findings_of(store: AsyncSessionStore[Any]) -> list[Finding]:
    return [finding async for finding in store.check()]


async def test_a_sound_store_gives_no_finding(opener: Opener):
    store = opener.store()
    await store.save_turn(session_of("a/b"), artifacts=artifacts_of("output"), trace_events=[event_of("x")])
    await store.put_file("a/b", "report.pdf", b"pdf")
    body = (await opener.read("a%2Fb.json")).replace(b'"a/b"', b'"foo/bar"')
    await opener.write("foo_bar.json", body)
    assert await findings_of(store) == []


async def test_torn_foreign_and_mis_keyed_sessions_are_found_and_stop_nothing(opener: Opener):
    store = opener.store()
    await store.save(session_of("good"))
    body = await opener.read("good.json")
    await opener.write("torn.json", body[:-20])
    await opener.write("foreign.json", b"<xml/>")
    await opener.write("other.json", body)
    found = await findings_of(store)
    key = opener.location.key
    assert [(finding.key, finding.problem) for finding in found] == [
        (key("foreign.json"), Problem.CORRUPTED),
        (key("other.json"), Problem.CORRUPTED),
        (key("torn.json"), Problem.CORRUPTED),
    ]
    assert "'good'" in found[1].detail
    assert await store.list() == ["foreign", "good", "other", "torn"]
    assert await store.load("good")


async def test_parts_without_a_session_are_found(opener: Opener):
    store = opener.store()
    await store.save(session_of("here"))
    for id in ("here", "gone"):
        await store.save_artifacts(id, artifacts_of("output"))
        await store.put_file(id, "x.bin", b"x")
        await store.save_trace_events(id, [event_of("x")])
        await store.save_verification_reports(id, [])
    key = opener.location.key
    assert {finding.key for finding in await findings_of(store)} == {
        key("artifacts/gone/artifacts.json"),
        key("artifacts/gone/files/x.bin"),
        key("traces/gone.json"),
        key("verification/gone.json"),
    }


async def test_a_repair_moves_nothing_that_is_not_safe_to_remove(opener: Opener):
    store = opener.store()
    await opener.write("torn.json", b"{")
    await store.save_trace_events("gone", [event_of("x")])
    before = await opener.names()
    findings = await findings_of(store)
    assert len(findings) == 2
    assert await store.repair(findings) == []
    assert await opener.names() == before


async def test_a_probe_that_is_under_way_is_no_finding(opener: Opener):
    await opener.write(".sessionbucket/probe/x/once", b"1")
    assert await findings_of(opener.store()) == []
