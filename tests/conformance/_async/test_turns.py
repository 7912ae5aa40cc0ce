"""The store: a whole turn in one call, parts first and the session last."""

from __future__ import annotations

from typing import Any

import pytest

from conformance._async.conftest import Opener
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from sessionbucket import AsyncSessionStore, InvalidArgumentError, SessionConflictError


async def test_a_turn_saves_the_session_with_all_its_parts(async_store: AsyncSessionStore[Any]):
    await async_store.save_turn(
        session_of("s", "hello"),
        artifacts=artifacts_of("output"),
        trace_events=[event_of("bash")],
        verification_reports=[report_of("program")],
    )
    assert texts_of(await async_store.load("s")) == ["hello"]
    assert await async_store.load_artifacts("s") == artifacts_of("output")
    assert await async_store.load_trace_events("s") == [event_of("bash")]
    assert await async_store.load_verification_reports("s") == [report_of("program")]


async def test_a_turn_leaves_the_parts_alone_that_it_does_not_name(async_store: AsyncSessionStore[Any]):
    session = session_of("s", "hello")
    await async_store.save_turn(session, trace_events=[event_of("first")], artifacts=artifacts_of("output"))
    say(session, "more")
    await async_store.save_turn(session, trace_events=[])
    assert await async_store.load_trace_events("s") == []
    assert await async_store.load_artifacts("s") == artifacts_of("output")


async def test_a_stale_turn_touches_neither_the_parts_nor_the_session(opener: Opener):
    one, other = opener.store(), opener.store()
    mine = session_of("s", "base")
    await one.save_turn(mine, trace_events=[event_of("base")])
    theirs = await other.load("s")
    say(theirs, "theirs")
    await other.save_turn(theirs, trace_events=[event_of("theirs")])
    say(mine, "mine")
    with pytest.raises(SessionConflictError) as caught:
        await one.save_turn(mine, trace_events=[event_of("mine")])
    assert caught.value.outcome == "not written"
    assert texts_of(await one.load("s")) == ["base", "theirs"]
    assert await one.load_trace_events("s") == [event_of("theirs")]


async def test_a_turn_of_a_new_session_does_not_touch_the_parts_of_one_that_exists(
    async_store: AsyncSessionStore[Any],
):
    await async_store.save_turn(session_of("s", "first"), trace_events=[event_of("first")])
    with pytest.raises(SessionConflictError):
        await async_store.save_turn(session_of("s", "second"), trace_events=[event_of("second")])
    assert await async_store.load_trace_events("s") == [event_of("first")]
    await async_store.save_turn(session_of("s", "third"), trace_events=[event_of("third")], overwrite=True)
    assert await async_store.load_trace_events("s") == [event_of("third")]


async def test_a_session_does_not_become_visible_when_one_of_its_parts_cannot_be_written(
    async_store: AsyncSessionStore[Any],
):
    broken = event_of("x")
    broken.details = {"score": float("nan")}
    with pytest.raises(InvalidArgumentError):
        await async_store.save_turn(session_of("s", "hello"), trace_events=[broken])
    assert not await async_store.exists("s")
