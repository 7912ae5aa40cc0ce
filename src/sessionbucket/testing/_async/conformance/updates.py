"""Updates: a load, a change and a save, repeated after a conflict."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from sessionbucket import AsyncBaseSessionStore
from sessionbucket.errors import SessionNotFoundError
from sessionbucket.testing._async.conformance.races import AsyncRendezvous
from sessionbucket.testing._async.conformance.store_case import AsyncStoreCase
from sessionbucket.testing._concurrency.asyncio_ import at_once

WRITERS = 4
TURNS = 5


class AsyncUpdateTests(AsyncStoreCase):
    """``update``, which a store has from its base class: it works where the five methods do."""

    async def test_an_update_changes_what_is_stored(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))
        updated = await self.store.update(self.id(), lambda session: self.add_text(session, "more"))
        assert self.texts_of(updated) == ["base", "more"], "update must return the session as saved"
        assert await self.stored_texts() == ["base", "more"], "update must save the change"

    async def test_the_result_of_an_update_can_be_saved_again(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))
        updated = await self.store.update(self.id(), lambda session: self.add_text(session, "more"))
        self.add_text(updated, "again")
        await self.store.save(updated)
        assert await self.stored_texts() == ["base", "more", "again"], (
            "the session that update returns must be savable"
        )

    async def test_an_update_makes_a_session_where_it_may(self) -> None:
        with pytest.raises(SessionNotFoundError):
            await self.store.update(self.id(), lambda session: self.add_text(session, "more"))
        assert not await self.store.exists(self.id()), "an update that raises must write nothing"
        await self.store.update(
            self.id(),
            lambda session: self.add_text(session, "more"),
            create=lambda: self.new_session(self.id(), "made"),
        )
        assert await self.stored_texts() == ["made", "more"], "update with create must make the session"

    async def test_an_update_whose_change_raises_writes_nothing(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))

        def change(session: Any) -> None:
            self.add_text(session, "more")
            raise RuntimeError("the change broke")

        with pytest.raises(RuntimeError, match="the change broke"):
            await self.store.update(self.id(), change)
        assert await self.stored_texts() == ["base"], "an update whose change raises must write nothing"

    async def test_an_update_starts_over_when_another_writer_was_faster(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))
        other, calls = self.open(), []

        async def change(session: Any) -> None:
            calls.append(self.texts_of(session))
            if len(calls) == 1:
                await other.update(self.id(), lambda theirs: self.add_text(theirs, "theirs"))
            self.add_text(session, "mine")

        await self.store.update(self.id(), change)
        assert await self.stored_texts() == ["base", "theirs", "mine"], (
            "an update was lost: another writer saved between this one's load and its save"
        )
        assert calls == [["base"], ["base", "theirs"]], "update must start over from a fresh load"

    async def test_no_turn_is_lost_when_several_writers_update_at_once(self) -> None:
        await self.store.save(self.new_session(self.id(), "base"))

        async def write(store: AsyncBaseSessionStore[Any], text: str, loaded: AsyncRendezvous) -> None:
            async def change(session: Any) -> None:
                await loaded.meet()  # so that all have loaded before any saves
                self.add_text(session, text)

            await store.update(self.id(), change, attempts=100)

        stores = [self.open() for _ in range(WRITERS)]
        turns = min(TURNS, self.race_rounds)
        for turn in range(turns):
            loaded = AsyncRendezvous(WRITERS)
            results = await at_once(
                *(partial(write, store, f"{number}.{turn}", loaded) for number, store in enumerate(stores))
            )
            assert results == [None] * WRITERS, f"an update failed: {results}"
        texts = await self.stored_texts() or []
        expected = {f"{number}.{turn}" for number in range(WRITERS) for turn in range(turns)}
        assert set(texts) == {"base", *expected}, (
            f"turns were lost: {WRITERS} writers made {len(expected)} updates, and "
            f"{sorted(expected - set(texts))} are not there"
        )
        assert len(texts) == len(set(texts)), "a turn was written twice"
