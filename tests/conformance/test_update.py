"""The store: ``update``, with which several writers change one session."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from both_sides import at_once
from conformance.conftest import Opener
from conformance.samples import say, session_of, texts_of
from sessionbucket import (
    InvalidArgumentError,
    SessionConflictError,
    SessionData,
    SessionNotFoundError,
    SessionStore,
)


def test_update_saves_the_change_and_returns_the_session_as_saved(
    store: SessionStore[Any],
):
    store.save(session_of("s", "base"))
    updated = store.update("s", lambda session: say(session, "more"))
    assert texts_of(updated) == ["base", "more"]
    assert store.load("s") == updated
    say(updated, "and more")
    store.save(updated)
    assert texts_of(store.load("s")) == ["base", "more", "and more"]


def test_update_saves_the_session_that_the_change_returns(store: SessionStore[Any]):
    store.save(session_of("s", "base"))

    def replace(session: SessionData) -> SessionData:
        return session.model_copy(update={"model_name": "m"})

    def rebuild(session: SessionData) -> SessionData:
        return SessionData(**{**session.model_dump(), "model_name": "n"})

    assert store.update("s", replace).model_name == "m"
    assert store.update("s", rebuild).model_name == "n"
    updated = store.update("s", lambda session: session)
    assert updated.model_name == "n"
    say(updated, "more")
    store.save(updated)


def test_after_a_conflict_update_starts_again_from_a_fresh_load(opener: Opener):
    store, other = opener.store(), opener.store()
    store.save(session_of("s", "base"))
    seen: list[list[str]] = []

    def interfere() -> None:
        theirs = other.load("s")
        say(theirs, f"theirs {len(seen)}")
        other.save(theirs)

    def change(session: SessionData) -> None:
        seen.append(texts_of(session))
        if len(seen) <= 2:
            interfere()
        say(session, "mine")

    store.update("s", change)
    assert seen == [["base"], ["base", "theirs 1"], ["base", "theirs 1", "theirs 2"]]
    assert texts_of(store.load("s")) == ["base", "theirs 1", "theirs 2", "mine"]


@pytest.mark.parametrize("attempts", [1, 3])
def test_the_error_after_the_last_attempt_has_the_number_of_attempts(opener: Opener, attempts: int):
    store, other = opener.store(), opener.store()
    store.save(session_of("s", "base"))
    calls = 0

    def change(session: SessionData) -> None:
        nonlocal calls
        calls += 1
        theirs = other.load("s")
        say(theirs, f"theirs {calls}")
        other.save(theirs)
        say(session, "mine")

    with pytest.raises(SessionConflictError) as caught:
        store.update("s", change, attempts=attempts)
    assert calls == caught.value.attempts == attempts
    assert caught.value.outcome == "not written"
    assert "mine" not in texts_of(store.load("s"))


def test_a_change_that_raises_writes_nothing(store: SessionStore[Any], opener: Opener):
    store.save(session_of("s", "base"))
    body = opener.read("s.json")

    def change(session: SessionData) -> None:
        say(session, "half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        store.update("s", change)
    assert opener.read("s.json") == body


def test_a_change_that_changes_nothing_writes_nothing(opener: Opener):
    store, other = opener.store(), opener.store()
    store.save(session_of("s", "base"))

    def change(session: SessionData) -> None:
        other.save(session_of("s", "forced"), overwrite=True)

    updated = store.update("s", change)
    assert texts_of(updated) == ["base"]
    assert texts_of(store.load("s")) == ["forced"]


def test_an_update_of_a_missing_session_raises_an_error(store: SessionStore[Any], opener: Opener):
    for id in ("nothing", "no/thing"):
        with pytest.raises(SessionNotFoundError) as caught:
            store.update(id, lambda session: say(session, "x"))
        assert caught.value.session_id == id
        assert isinstance(caught.value, LookupError)
    assert opener.names() == []


def test_create_makes_a_missing_session(store: SessionStore[Any]):
    for number in range(2):
        store.update(
            "s",
            lambda session, number=number: say(session, f"turn {number}"),
            create=lambda: session_of("s", "made"),
        )
    assert texts_of(store.load("s")) == ["made", "turn 0", "turn 1"]
    store.update("t", lambda session: None, create=lambda: session_of("t", "unchanged"))
    assert texts_of(store.load("t")) == ["unchanged"]


def test_when_another_create_wins_the_change_applies_to_its_session(opener: Opener):
    store, other = opener.store(), opener.store()

    def change(session: SessionData) -> None:
        if not other.exists("s"):
            other.save(session_of("s", "theirs"))
        say(session, "mine")

    store.update("s", change, create=lambda: session_of("s", "made"))
    assert texts_of(store.load("s")) == ["theirs", "mine"]


def test_a_session_deleted_during_an_update_stays_deleted(opener: Opener):
    store, other = opener.store(), opener.store()
    store.save(session_of("s", "base"))

    def change(session: SessionData) -> None:
        other.delete("s")
        say(session, "mine")

    with pytest.raises(SessionNotFoundError):
        store.update("s", change)
    assert opener.names() == []


def test_a_change_of_the_id_is_refused(store: SessionStore[Any]):
    store.save(session_of("s", "base"))

    def change(session: SessionData) -> None:
        session.id = "t"

    with pytest.raises(InvalidArgumentError, match="id"):
        store.update("s", change)
    with pytest.raises(InvalidArgumentError, match="id"):
        store.update("u", lambda session: None, create=lambda: session_of("v"))
    assert store.list() == ["s"]


@pytest.mark.parametrize("attempts", [0, -1])
def test_less_than_one_attempt_is_refused(store: SessionStore[Any], attempts: int):
    with pytest.raises(InvalidArgumentError, match="attempts"):
        store.update("s", lambda session: None, attempts=attempts)


def test_concurrent_updates_through_one_store_are_all_kept(store: SessionStore[Any]):
    def write(number: int) -> None:
        store.update(
            "s",
            lambda session: say(session, f"writer {number}"),
            attempts=50,
            create=lambda: SessionData(id="s"),
        )

    assert at_once([partial(write, number) for number in range(4)]) == [None] * 4
    assert sorted(texts_of(store.load("s"))) == [f"writer {number}" for number in range(4)]
