"""The store: artifacts, trace events and verification reports."""

from __future__ import annotations

from typing import Any

import pytest

from conformance._async.conftest import Opener
from conformance.locations import FIXTURES
from conformance.samples import artifacts_of, event_of, report_of, session_of
from sessionbucket import (
    ArtifactStore,
    AsyncSessionStore,
    InvalidArgumentError,
    SessionCorruptedError,
    SessionTooLargeError,
)

PARTS = ["artifacts/s/artifacts.json", "traces/s.json", "verification/s.json"]


def loader(store: AsyncSessionStore[Any], part: str) -> Any:
    loads = (store.load_artifacts, store.load_trace_events, store.load_verification_reports)
    return loads[PARTS.index(part)]


async def test_missing_parts_are_none(async_store: AsyncSessionStore[Any]):
    await async_store.save(session_of("s"))
    for id in ("s", "nothing", "no/thing"):
        assert await async_store.load_artifacts(id) is None
        assert await async_store.load_trace_events(id) is None
        assert await async_store.load_verification_reports(id) is None
        assert await async_store.list_files(id) == []


async def test_saved_parts_are_what_load_gives(async_store: AsyncSessionStore[Any]):
    artifacts, events, reports = (
        artifacts_of("one", "zwei"),
        [event_of("read"), event_of("grep")],
        [report_of("p")],
    )
    await async_store.save_artifacts("s", artifacts)
    await async_store.save_trace_events("s", events)
    await async_store.save_verification_reports("s", reports)
    assert await async_store.load_artifacts("s") == artifacts
    assert await async_store.load_trace_events("s") == events
    assert await async_store.load_verification_reports("s") == reports


async def test_parts_may_come_before_their_session_and_make_none(async_store: AsyncSessionStore[Any]):
    await async_store.save_trace_events("s", [event_of("read")])
    assert not await async_store.exists("s")
    assert await async_store.list() == []
    await async_store.save(session_of("s"))
    assert await async_store.load_trace_events("s") == [event_of("read")]


async def test_a_save_of_parts_replaces_those_before(async_store: AsyncSessionStore[Any]):
    for name in ("first", "second"):
        await async_store.save_artifacts("s", artifacts_of(name))
        await async_store.save_trace_events("s", [event_of(name)])
        await async_store.save_verification_reports("s", [report_of(name)])
    assert await async_store.load_artifacts("s") == artifacts_of("second")
    assert await async_store.load_trace_events("s") == [event_of("second")]
    assert await async_store.load_verification_reports("s") == [report_of("second")]


async def test_empty_parts_are_saved_as_empty_and_are_not_none(
    async_store: AsyncSessionStore[Any], opener: Opener
):
    await async_store.save_artifacts("s", ArtifactStore())
    await async_store.save_trace_events("s", [])
    await async_store.save_verification_reports("s", [])
    assert [await opener.read(part) for part in PARTS] == [b'{\n  "artifacts": []\n}', b"[]", b"[]"]
    assert await async_store.load_artifacts("s") == ArtifactStore()
    assert await async_store.load_trace_events("s") == []
    assert await async_store.load_verification_reports("s") == []


@pytest.mark.parametrize("name", ["artifacts.json", "artifacts_empty.json"])
async def test_golden_artifacts_come_back_byte_for_byte(
    async_store: AsyncSessionStore[Any], opener: Opener, name: str
):
    body = (FIXTURES / "a3s" / name).read_bytes()
    await opener.write("artifacts/s/artifacts.json", body)
    artifacts = await async_store.load_artifacts("s")
    assert artifacts is not None
    await async_store.save_artifacts("t", artifacts)
    assert await opener.read("artifacts/t/artifacts.json") == body


async def test_golden_traces_and_reports_come_back_byte_for_byte(
    async_store: AsyncSessionStore[Any], opener: Opener
):
    traces = (FIXTURES / "a3s" / "traces.json").read_bytes()
    reports = (FIXTURES / "a3s" / "verification.json").read_bytes()
    await opener.write("traces/s.json", traces)
    await opener.write("verification/s.json", reports)
    await async_store.save_trace_events("t", await async_store.load_trace_events("s") or [])
    await async_store.save_verification_reports("t", await async_store.load_verification_reports("s") or [])
    assert await opener.read("traces/t.json") == traces
    assert await opener.read("verification/t.json") == reports


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("body", [b"", b"{", b"null", b'"text"', b"[1]"])
async def test_a_damaged_part_is_an_error_that_names_the_key(
    async_store: AsyncSessionStore[Any], opener: Opener, part: str, body: bytes
):
    await async_store.save(session_of("s"))
    await opener.write(part, body)
    with pytest.raises(SessionCorruptedError) as caught:
        await loader(async_store, part)("s")
    assert caught.value.key == opener.location.key(part)
    assert await opener.read(part) == body
    assert await async_store.load("s") is not None


async def test_appended_events_follow_those_before(async_store: AsyncSessionStore[Any], opener: Opener):
    await async_store.append_trace_events("s", [])
    assert await opener.names() == []
    await async_store.append_trace_events("s", [event_of("a")])
    await async_store.append_trace_events("s", [event_of("b"), event_of("c")])
    await async_store.append_trace_events("s", [])
    assert await async_store.load_trace_events("s") == [event_of("a"), event_of("b"), event_of("c")]


async def test_events_are_not_appended_to_damaged_ones(async_store: AsyncSessionStore[Any], opener: Opener):
    await opener.write("traces/s.json", b"[")
    with pytest.raises(SessionCorruptedError):
        await async_store.append_trace_events("s", [event_of("a")])
    assert await opener.read("traces/s.json") == b"["


async def test_an_append_needs_at_least_one_attempt(async_store: AsyncSessionStore[Any]):
    with pytest.raises(InvalidArgumentError, match="attempts"):
        await async_store.append_trace_events("s", [event_of("a")], attempts=0)


async def test_a_part_over_the_limit_is_neither_written_nor_read(opener: Opener):
    small, large = opener.store(max_bytes=1000), opener.store()
    with pytest.raises(SessionTooLargeError):
        await small.save_artifacts("s", artifacts_of("x" * 1000))
    with pytest.raises(SessionTooLargeError):
        await small.append_trace_events("s", [event_of("x" * 1000)])
    assert await opener.names() == []
    await large.save_artifacts("s", artifacts_of("x" * 1000))
    with pytest.raises(SessionTooLargeError):
        await small.load_artifacts("s")


async def test_a_saved_artifact_store_is_a_copy(async_store: AsyncSessionStore[Any]):
    artifacts = artifacts_of("one")
    await async_store.save_artifacts("s", artifacts)
    artifacts.artifacts.clear()
    assert await async_store.load_artifacts("s") == artifacts_of("one")
