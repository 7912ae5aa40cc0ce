"""Saves: over exactly the version that the caller has seen."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from sessionbucket import AsyncBaseSessionStore
from sessionbucket.errors import SessionConflictError
from sessionbucket.testing._async.conformance.store_case import AsyncStoreCase
from sessionbucket.testing._concurrency.asyncio_ import at_once

WRITERS = 4


class AsyncSaveTests(AsyncStoreCase):
    """``save`` and its conflicts."""

    async def loaded(self, store: AsyncBaseSessionStore[Any] | None = None) -> Any:
        """The session, loaded anew."""
        session = await (store or self.store).load(self.id())
        assert session is not None, "load does not find the session that was saved"
        return session

    async def test_a_session_can_be_saved_again_and_again(self) -> None:
        session = self.new_session(self.id(), "first")
        await self.store.save(session)
        for text in ("second", "third"):
            self.add_text(session, text)
            await self.store.save(session)
        session = await self.loaded()
        self.add_text(session, "fourth")
        await self.store.save(session)
        assert await self.stored_texts() == ["first", "second", "third", "fourth"], (
            "a session that only its caller changes is never in conflict"
        )

    async def test_a_new_session_replaces_nothing(self) -> None:
        await self.store.save(self.new_session(self.id(), "first"))
        await self.refused(
            self.new_session(self.id(), "second"), "a save of a new session over one that exists"
        )

    async def test_a_new_session_replaces_nothing_in_a_store_that_has_loaded_the_old_one(self) -> None:
        await self.store.save(self.new_session(self.id(), "first"))
        await self.loaded()
        await self.refused(
            self.new_session(self.id(), "second"),
            "a save of a new session over one that exists (though this store has loaded it into another object)",
        )

    async def test_a_save_of_a_session_that_another_store_has_changed_is_a_conflict(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))
        mine, other = await self.loaded(), self.open()
        theirs = await self.loaded(other)
        self.add_text(theirs, "theirs")
        await other.save(theirs)
        self.add_text(mine, "mine")
        await self.refused(mine, "a save of a session that was changed since it was loaded")

    async def test_two_copies_in_one_store_are_two_sessions(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))
        one, other = await self.loaded(), await self.loaded()
        self.add_text(one, "one")
        await self.store.save(one)
        self.add_text(other, "other")
        await self.refused(
            other,
            "a save of a copy that was loaded before another copy was saved through the same store (what was seen belongs to "
            "the session, not to its id)",
        )

    async def test_a_conflict_repeats_itself_until_the_session_is_loaded_again(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))
        mine, theirs = await self.loaded(), await self.loaded()
        self.add_text(theirs, "theirs")
        await self.store.save(theirs)
        await self.refused(mine, "a save of a session that was changed since it was loaded")
        await self.refused(mine, "the same save, once more,")
        again = await self.loaded()
        self.add_text(again, "mine")
        await self.store.save(again)
        assert await self.stored_texts() == ["base", "theirs", "mine"], "a fresh load must be savable"

    async def test_a_save_of_a_session_that_was_deleted_is_a_conflict(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))
        mine = await self.loaded()
        await self.open().delete(self.id())
        self.add_text(mine, "mine")
        await self.refused(mine, "a save of a session that was deleted since it was loaded")

    async def test_a_session_that_was_deleted_and_made_again_is_another(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))
        mine, other = await self.loaded(), self.open()
        await other.delete(self.id())
        await other.save(self.new_session(self.id(), "another life"))
        self.add_text(mine, "mine")
        await self.refused(
            mine,
            "a save of a session that was deleted and made again since it was loaded (a version may not come again)",
        )

    async def test_an_overwrite_replaces_any_version(self) -> None:
        await self.store.save(self.new_session(self.id(), "first"), overwrite=True)
        session = self.new_session(self.id(), "second")
        await self.store.save(session, overwrite=True)
        assert await self.stored_texts() == ["second"], "overwrite=True must replace the session"
        self.add_text(session, "third")
        await self.store.save(session)
        assert await self.stored_texts() == ["second", "third"], "a session that overwrote can be saved again"

    async def test_of_saves_of_one_version_at_once_one_wins(self) -> None:
        stores = [self.open() for _ in range(WRITERS)]
        await self.store.save(self.new_session(self.id(), "base"))
        for _ in range(self.race_rounds):
            copies = [await self.loaded(store) for store in stores]
            for number, copy in enumerate(copies):
                self.add_text(copy, f"writer {number}")
            await self.race(stores, copies, "a version")

    async def test_of_creates_at_once_one_wins(self) -> None:
        stores = [self.open() for _ in range(WRITERS)]
        for round_ in range(self.race_rounds):
            id = self.id(str(round_))
            copies = [self.new_session(id, f"writer {number}") for number in range(WRITERS)]
            await self.race(stores, copies, "an id")

    async def race(self, stores: list[AsyncBaseSessionStore[Any]], copies: list[Any], what: str) -> None:
        """Let all save at once, and fail unless exactly one wins and its body is stored."""
        results = await at_once(
            *(partial(store.save, copy) for store, copy in zip(stores, copies, strict=True))
        )
        won = [copy for copy, result in zip(copies, results, strict=True) if result is None]
        odd = [result for result in results if result and not isinstance(result, SessionConflictError)]
        assert not odd, f"a writer who lost must get SessionConflictError, not {odd[0]!r}"
        assert len(won) == 1, (
            f"of {WRITERS} writers who saved {what} at the same time {len(won)} won: save is not atomic; "
            "comparing and writing must be one step"
        )
        assert await self.stored_texts(won[0].id) == self.texts_of(won[0]), (
            "the session must be that of the writer who won"
        )

    async def test_several_overwrites_at_once_leave_one_of_them_whole(self) -> None:
        stores = [self.open() for _ in range(WRITERS)]
        sessions = [self.new_session(self.id(), *[str(number) * 1000] * 20) for number in range(WRITERS)]
        results = await at_once(
            *(
                partial(store.save, session, overwrite=True)
                for store, session in zip(stores, sessions, strict=True)
            )
        )
        assert results == [None] * WRITERS, f"an overwrite failed: {results}"
        if await self.stored_texts() not in [self.texts_of(session) for session in sessions]:
            pytest.fail("several overwrites at once left a session that none of them saved")
