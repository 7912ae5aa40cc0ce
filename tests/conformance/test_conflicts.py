"""The store: a save replaces only the version that its caller has seen."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from both_sides import at_once
from conformance.conftest import Opener
from conformance.locations import on_every_kind
from conformance.samples import artifacts_of, event_of, say, session_of, texts_of
from sessionbucket import SessionConflictError, SessionStore


@on_every_kind
def test_a_stale_save_changes_nothing(opener: Opener):
    one, other = opener.store(), opener.store()
    one.save(session_of("s", "base"))
    mine, theirs = one.load("s"), other.load("s")
    say(theirs, "theirs")
    other.save(theirs)
    body = opener.read("s.json")
    say(mine, "mine")
    for _ in range(2):
        with pytest.raises(SessionConflictError) as caught:
            one.save(mine)
        error = caught.value
        assert (error.session_id, error.key, error.outcome, error.attempts) == (
            "s",
            opener.location.key("s.json"),
            "not written",
            1,
        )
        assert one.bucket.location in error.location
        assert opener.read("s.json") == body
    assert texts_of(mine) == ["base", "mine"]


def test_a_new_session_does_not_replace_one_that_exists(store: SessionStore[Any], opener: Opener):
    store.save(session_of("s", "first"))
    body = opener.read("s.json")
    with pytest.raises(SessionConflictError):
        store.save(session_of("s", "second"))
    assert opener.read("s.json") == body


def test_after_an_overwrite_the_earlier_version_is_stale(opener: Opener):
    one, other = opener.store(), opener.store()
    mine = session_of("s", "mine")
    one.save(mine)
    other.save(session_of("s", "forced"), overwrite=True)
    say(mine, "more")
    with pytest.raises(SessionConflictError):
        one.save(mine)
    assert texts_of(one.load("s")) == ["forced"]


def test_a_stale_session_can_be_loaded_again_and_saved(opener: Opener):
    one, other = opener.store(), opener.store()
    one.save(session_of("s", "base"))
    stale = one.load("s")
    fresh = other.load("s")
    say(fresh, "theirs")
    other.save(fresh)
    say(stale, "mine")
    with pytest.raises(SessionConflictError):
        one.save(stale)
    again = one.load("s")
    say(again, "mine")
    one.save(again)
    assert texts_of(other.load("s")) == ["base", "theirs", "mine"]


@on_every_kind
def test_a_save_of_a_session_that_was_deleted_is_a_conflict_and_does_not_create_it(opener: Opener):
    one, other = opener.store(), opener.store()
    mine = session_of("s", "base")
    one.save(mine)
    other.delete("s")
    say(mine, "more")
    with pytest.raises(SessionConflictError) as caught:
        one.save(mine)
    assert caught.value.outcome == "not written"
    assert not one.exists("s")
    assert opener.names() == []
    one.save(mine, overwrite=True)
    assert texts_of(other.load("s")) == ["base", "more"]


def test_a_save_of_a_session_that_was_deleted_and_created_again_is_a_conflict(opener: Opener):
    one, other = opener.store(), opener.store()
    mine = session_of("s", "base")
    one.save(mine)
    other.delete("s")
    other.save(session_of("s", "another life"))
    say(mine, "more")
    with pytest.raises(SessionConflictError):
        one.save(mine)
    assert texts_of(one.load("s")) == ["another life"]


def test_a_session_of_another_store_counts_as_new(opener: Opener):
    here, there = opener.store("here"), opener.store("there")
    session = session_of("s", "base")
    there.save(session)
    here.save(session)
    assert texts_of(here.load("s")) == ["base"]
    with pytest.raises(SessionConflictError):
        there.save(session)  # its version is now that of the other store
    again = there.load("s")
    with pytest.raises(SessionConflictError):
        here.save(again)


def test_a_session_of_another_store_under_the_same_key_replaces_nothing(opener: Opener):
    elsewhere = opener.side.store(opener.side.make("MemoryBucket"))
    session = session_of("s", "same bytes")
    elsewhere.save(session)
    here = opener.store()
    here.save(session_of("s", "same bytes"))
    copy = elsewhere.load("s")
    with pytest.raises(SessionConflictError):
        here.save(copy)


def test_a_session_with_a_new_id_counts_as_new(store: SessionStore[Any]):
    session = session_of("s", "base")
    store.save(session)
    store.save(session_of("taken", "taken"))
    session.id = "taken"
    with pytest.raises(SessionConflictError):
        store.save(session)
    session.id = "free"
    store.save(session)
    assert sorted(store.list()) == ["free", "s", "taken"]
    assert texts_of(store.load("taken")) == ["taken"]


def test_a_failed_save_keeps_the_version_the_session_had(opener: Opener):
    one, other = opener.store(), opener.store("elsewhere")
    session = session_of("s", "base")
    one.save(session)
    other.save(session_of("s", "in the way"))
    with pytest.raises(SessionConflictError):
        other.save(session)
    say(session, "more")
    one.save(session)
    assert texts_of(one.load("s")) == ["base", "more"]


def test_one_of_several_concurrent_creates_wins(opener: Opener):
    store = opener.store()
    results = at_once([partial(store.save, session_of("s", f"writer {n}")) for n in range(4)])
    won = [number for number, result in enumerate(results) if result is None]
    assert len(won) == 1, results
    assert texts_of(store.load("s")) == [f"writer {won[0]}"]


def test_concurrent_overwrites_leave_a_session_that_loads(opener: Opener):
    store = opener.store()
    writers = [session_of("s", f"writer {n}", "x" * 10_000 * n) for n in range(4)]
    results = at_once([partial(store.save, session, overwrite=True) for session in writers])
    assert results == [None] * 4
    assert store.load("s") in writers


@on_every_kind
def test_readers_see_the_old_session_or_the_new_one_whole(opener: Opener):
    writer, reader = opener.store(), opener.store()
    session = session_of("s", *["0" * 2000] * 20)
    writer.save(session)

    def write() -> None:
        for number in range(1, 10):
            for message in session.messages:
                message.content[0].text = str(number) * 2000
            writer.save(session)

    def read() -> None:
        seen = "0"
        while seen != "9" * 2000:
            loaded = reader.load("s")
            assert len(set(texts_of(loaded))) == 1
            seen = texts_of(loaded)[0]

    assert at_once([write, read, read]) == [None] * 3


def test_a_save_of_parts_does_not_depend_on_the_version_of_the_session(opener: Opener):
    one, other = opener.store(), opener.store()
    one.save(session_of("s"))
    other.save_artifacts("s", artifacts_of("theirs"))
    one.save_artifacts("s", artifacts_of("mine"))
    assert other.load_artifacts("s") == artifacts_of("mine")


def test_events_of_concurrent_appends_are_all_kept(opener: Opener):
    stores = [opener.store() for _ in range(3)]

    def append(number: int) -> None:
        for turn in range(3):
            stores[number].append_trace_events("s", [event_of(f"{number}.{turn}")], attempts=50)

    assert at_once([partial(append, number) for number in range(3)]) == [None] * 3
    events = stores[0].load_trace_events("s")
    assert events is not None
    assert sorted(event.name for event in events) == [f"{n}.{t}" for n in range(3) for t in range(3)]
    for number in range(3):
        own = [event.name for event in events if event.name.startswith(f"{number}.")]
        assert own == [f"{number}.{turn}" for turn in range(3)]
