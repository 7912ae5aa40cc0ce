"""The store: a whole turn in one call; the parts are written first and the session last."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.conftest import Opener
from conformance.locations import on_every_kind
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from sessionbucket import InvalidArgumentError, SessionConflictError, SessionStore


@on_every_kind
def test_a_turn_saves_the_session_with_all_its_parts(store: SessionStore[Any]):
    store.save_turn(
        session_of("s", "hello"),
        artifacts=artifacts_of("output"),
        trace_events=[event_of("bash")],
        verification_reports=[report_of("program")],
    )
    assert texts_of(store.load("s")) == ["hello"]
    assert store.load_artifacts("s") == artifacts_of("output")
    assert store.load_trace_events("s") == [event_of("bash")]
    assert store.load_verification_reports("s") == [report_of("program")]


def test_a_turn_leaves_the_parts_unchanged_that_it_does_not_name(store: SessionStore[Any]):
    session = session_of("s", "hello")
    store.save_turn(session, trace_events=[event_of("first")], artifacts=artifacts_of("output"))
    say(session, "more")
    store.save_turn(session, trace_events=[])
    assert store.load_trace_events("s") == []
    assert store.load_artifacts("s") == artifacts_of("output")


def test_a_stale_turn_changes_neither_the_parts_nor_the_session(opener: Opener):
    one, other = opener.store(), opener.store()
    mine = session_of("s", "base")
    one.save_turn(mine, trace_events=[event_of("base")])
    theirs = other.load("s")
    say(theirs, "theirs")
    other.save_turn(theirs, trace_events=[event_of("theirs")])
    say(mine, "mine")
    with pytest.raises(SessionConflictError) as caught:
        one.save_turn(mine, trace_events=[event_of("mine")])
    assert caught.value.outcome == "not written"
    assert texts_of(one.load("s")) == ["base", "theirs"]
    assert one.load_trace_events("s") == [event_of("theirs")]


def test_a_turn_of_a_new_session_does_not_change_the_parts_of_an_existing_one(
    store: SessionStore[Any],
):
    store.save_turn(session_of("s", "first"), trace_events=[event_of("first")])
    with pytest.raises(SessionConflictError):
        store.save_turn(session_of("s", "second"), trace_events=[event_of("second")])
    assert store.load_trace_events("s") == [event_of("first")]
    store.save_turn(session_of("s", "third"), trace_events=[event_of("third")], overwrite=True)
    assert store.load_trace_events("s") == [event_of("third")]


def test_a_session_does_not_become_visible_when_one_of_its_parts_cannot_be_written(
    store: SessionStore[Any],
):
    broken = event_of("x")
    broken.details = {"score": float("nan")}
    with pytest.raises(InvalidArgumentError):
        store.save_turn(session_of("s", "hello"), trace_events=[broken])
    assert not store.exists("s")
