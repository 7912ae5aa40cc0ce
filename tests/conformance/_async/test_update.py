"""The store: ``update``, the way for several writers to share a session."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from conformance._async.conftest import Opener
from conformance.samples import say, session_of, texts_of
from sessionbucket import (
    AsyncSessionStore,
    InvalidArgumentError,
    SessionConflictError,
    SessionData,
    SessionNotFoundError,
)
from sessionbucket.testing._concurrency.asyncio_ import at_once


async def test_update_saves_the_change_and_gives_the_session_as_saved(
    async_store: AsyncSessionStore[Any],
):
    await async_store.save(session_of("s", "base"))
    updated = await async_store.update("s", lambda session: say(session, "more"))
    assert texts_of(updated) == ["base", "more"]
    assert await async_store.load("s") == updated
    say(updated, "and more")
    await async_store.save(updated)
    assert texts_of(await async_store.load("s")) == ["base", "more", "and more"]


async def test_update_saves_what_the_change_gives_back(async_store: AsyncSessionStore[Any]):
    await async_store.save(session_of("s", "base"))

    def replace(session: SessionData) -> SessionData:
        return session.model_copy(update={"model_name": "m"})

    def rebuild(session: SessionData) -> SessionData:
        return SessionData(**{**session.model_dump(), "model_name": "n"})

    assert (await async_store.update("s", replace)).model_name == "m"
    assert (await async_store.update("s", rebuild)).model_name == "n"
    updated = await async_store.update("s", lambda session: session)
    assert updated.model_name == "n"
    say(updated, "more")
    await async_store.save(updated)


async def test_a_conflict_starts_over_from_a_fresh_load(opener: Opener):
    store, other = opener.store(), opener.store()
    await store.save(session_of("s", "base"))
    seen: list[list[str]] = []

    async def interfere() -> None:
        theirs = await other.load("s")
        say(theirs, f"theirs {len(seen)}")
        await other.save(theirs)

    async def change(session: SessionData) -> None:
        seen.append(texts_of(session))
        if len(seen) <= 2:
            await interfere()
        say(session, "mine")

    await store.update("s", change)
    assert seen == [["base"], ["base", "theirs 1"], ["base", "theirs 1", "theirs 2"]]
    assert texts_of(await store.load("s")) == ["base", "theirs 1", "theirs 2", "mine"]


@pytest.mark.parametrize("attempts", [1, 3])
async def test_when_the_attempts_are_used_up_the_error_has_their_count(opener: Opener, attempts: int):
    store, other = opener.store(), opener.store()
    await store.save(session_of("s", "base"))
    calls = 0

    async def change(session: SessionData) -> None:
        nonlocal calls
        calls += 1
        theirs = await other.load("s")
        say(theirs, f"theirs {calls}")
        await other.save(theirs)
        say(session, "mine")

    with pytest.raises(SessionConflictError) as caught:
        await store.update("s", change, attempts=attempts)
    assert calls == caught.value.attempts == attempts
    assert caught.value.outcome == "not written"
    assert "mine" not in texts_of(await store.load("s"))


async def test_a_change_that_raises_writes_nothing(async_store: AsyncSessionStore[Any], opener: Opener):
    await async_store.save(session_of("s", "base"))
    body = await opener.read("s.json")

    def change(session: SessionData) -> None:
        say(session, "half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await async_store.update("s", change)
    assert await opener.read("s.json") == body


async def test_a_change_that_changes_nothing_writes_nothing(opener: Opener):
    store, other = opener.store(), opener.store()
    await store.save(session_of("s", "base"))

    async def change(session: SessionData) -> None:
        await other.save(session_of("s", "forced"), overwrite=True)

    updated = await store.update("s", change)
    assert texts_of(updated) == ["base"]
    assert texts_of(await store.load("s")) == ["forced"]


async def test_an_update_of_what_is_not_there_is_an_error(
    async_store: AsyncSessionStore[Any], opener: Opener
):
    for id in ("nothing", "no/thing"):
        with pytest.raises(SessionNotFoundError) as caught:
            await async_store.update(id, lambda session: say(session, "x"))
        assert caught.value.session_id == id
        assert isinstance(caught.value, LookupError)
    assert await opener.names() == []


async def test_create_makes_the_session_on_first_use(async_store: AsyncSessionStore[Any]):
    for number in range(2):
        await async_store.update(
            "s",
            lambda session, number=number: say(session, f"turn {number}"),
            create=lambda: session_of("s", "made"),
        )
    assert texts_of(await async_store.load("s")) == ["made", "turn 0", "turn 1"]
    await async_store.update("t", lambda session: None, create=lambda: session_of("t", "unchanged"))
    assert texts_of(await async_store.load("t")) == ["unchanged"]


async def test_a_create_that_loses_a_race_changes_what_won(opener: Opener):
    store, other = opener.store(), opener.store()

    async def change(session: SessionData) -> None:
        if not await other.exists("s"):
            await other.save(session_of("s", "theirs"))
        say(session, "mine")

    await store.update("s", change, create=lambda: session_of("s", "made"))
    assert texts_of(await store.load("s")) == ["theirs", "mine"]


async def test_a_session_deleted_during_an_update_stays_away(opener: Opener):
    store, other = opener.store(), opener.store()
    await store.save(session_of("s", "base"))

    async def change(session: SessionData) -> None:
        await other.delete("s")
        say(session, "mine")

    with pytest.raises(SessionNotFoundError):
        await store.update("s", change)
    assert await opener.names() == []


async def test_a_change_may_not_alter_the_id(async_store: AsyncSessionStore[Any]):
    await async_store.save(session_of("s", "base"))

    def change(session: SessionData) -> None:
        session.id = "t"

    with pytest.raises(InvalidArgumentError, match="id"):
        await async_store.update("s", change)
    with pytest.raises(InvalidArgumentError, match="id"):
        await async_store.update("u", lambda session: None, create=lambda: session_of("v"))
    assert await async_store.list() == ["s"]


@pytest.mark.parametrize("attempts", [0, -1])
async def test_at_least_one_attempt_must_be_allowed(async_store: AsyncSessionStore[Any], attempts: int):
    with pytest.raises(InvalidArgumentError, match="attempts"):
        await async_store.update("s", lambda session: None, attempts=attempts)


async def test_updates_at_once_through_one_store_are_all_kept(async_store: AsyncSessionStore[Any]):
    async def write(number: int) -> None:
        await async_store.update(
            "s",
            lambda session: say(session, f"writer {number}"),
            attempts=50,
            create=lambda: SessionData(id="s"),
        )

    assert await at_once(*(partial(write, number) for number in range(4))) == [None] * 4
    assert sorted(texts_of(await async_store.load("s"))) == [f"writer {number}" for number in range(4)]
