"""Sessions: saved, loaded, listed, deleted."""

from __future__ import annotations

import pytest

from sessionbucket.errors import InvalidArgumentError, NotSupportedError
from sessionbucket.models import ArtifactStore, SessionData, ToolArtifact, TraceEvent
from sessionbucket.testing._async.conformance.store_case import AsyncStoreCase
from sessionbucket.testing.sessions import SessionFactory

ODD_IDS = ("user/1", "..", "a b", "é😀", "100%", "%2F", "A", "a'b\"c", "semi;colon--", "_%*?", ".hidden")
UNKNOWN_MEMBER = {"from a later version": [1, {"deep": None}, "é"]}


class AsyncSessionTests(AsyncStoreCase):
    """``save``, ``load``, ``exists``, ``delete`` and ``list``, and the defaults that build on them."""

    async def test_a_session_comes_back_as_it_was_saved(self) -> None:
        session = self.new_session(self.id(), "hello", "", "é😀\r\n", "x" * 100_000)
        await self.store.save(session)
        loaded = await self.open().load(self.id())
        assert loaded == session, "load must return a session equal to the one that was saved"
        assert type(loaded) is type(session), "load must return the store's session model"

    async def test_a_realistic_session_comes_back_as_it_was_saved(self) -> None:
        model = type(self.new_session(self.id()))
        if not issubclass(model, SessionData):
            pytest.skip("the store has a session model of its own")
        session = model.model_validate(SessionFactory()(self.id(), turns=20).model_dump(mode="json"))
        await self.store.save(session)
        assert await self.open().load(self.id()) == session, "load must return all members as they were saved"

    async def test_unknown_members_survive(self) -> None:
        session = self.new_session(self.id(), "hello")
        if type(session).model_config.get("extra") != "allow":
            pytest.skip("the session model takes no unknown members")
        data = {**session.model_dump(mode="json"), "unknown": UNKNOWN_MEMBER}
        await self.store.save(type(session).model_validate(data))
        loaded = await self.open().load(self.id())
        assert loaded is not None, "load does not find the session that was saved"
        assert loaded.model_extra == {"unknown": UNKNOWN_MEMBER}, (
            "an unknown member was lost: a later version of an agent may have written it"
        )
        self.add_text(loaded, "more")
        await self.store.save(loaded)
        again = await self.open().load(self.id())
        assert again is not None, "load does not find the session that was saved"
        assert again.model_extra == {"unknown": UNKNOWN_MEMBER}, (
            "an unknown member was lost by the second save"
        )

    async def test_a_missing_session_is_none(self) -> None:
        assert await self.store.load(self.id()) is None, "load of a missing session must return None"
        assert not await self.store.exists(self.id()), "a session that was never saved must not exist"
        assert self.id() not in await self.store.list(), "a session that was never saved must not be listed"

    async def test_a_saved_session_exists_for_every_store_at_once(self) -> None:
        other = self.open()
        await self.store.save(self.new_session(self.id(), "first"))
        assert await other.exists(self.id()), "exists after a save must be true for every store object"
        assert self.id() in await other.list(), "list after a save must have the id for every store object"
        assert await self.stored_texts() == ["first"], "load after a save must return the saved session"

    async def test_a_deleted_session_is_gone_for_every_store_at_once(self) -> None:
        other = self.open()
        await self.store.save(self.new_session(self.id(), "first"))
        await self.store.delete(self.id())
        assert await other.load(self.id()) is None, "load after a delete must return None"
        assert not await other.exists(self.id()), "exists after a delete must be false"
        assert self.id() not in await other.list(), "list after a delete must not have the id"

    async def test_a_delete_of_a_missing_session_succeeds(self) -> None:
        await self.store.delete(self.id())
        await self.store.save(self.new_session(self.id(), "first"))
        await self.store.delete(self.id())
        await self.store.delete(self.id())
        assert not await self.store.exists(self.id()), "exists after a delete must be false"

    async def test_a_delete_takes_one_session_and_no_other(self) -> None:
        near = [self.id(name) for name in ("s", "sa", "s/a", "S", "_")]
        for id in (*near, self.id("s_")):
            await self.store.save(self.new_session(id, "hello"))
        await self.store.delete(self.id("s_"))
        left = [id for id in near if await self.store.exists(id)]
        assert left == near, (
            f"delete of {self.id('s_')!r} took others with it: {sorted(set(near) - set(left))}"
        )

    async def test_an_odd_id_is_an_id_like_any_other(self) -> None:
        for id in map(self.id, ODD_IDS):
            await self.store.save(self.new_session(id, id))
            assert await self.stored_texts(id) == [id], f"the session {id!r} is missing after its save"
            assert await self.store.exists(id), f"the session {id!r} must exist"
            assert id in await self.store.list(), f"list must return the id {id!r} as it is"

    async def test_every_session_is_listed_once(self) -> None:
        ids = {self.id(f"{number:02}") for number in range(12)}
        for id in ids:
            session = self.new_session(id, "hello")
            await self.store.save(session)
            self.add_text(session, "again")
            await self.store.save(session)
        listed = [id for id in await self.open().list() if id.startswith(self.prefix)]
        assert set(listed) == ids, "list must return the ids of all sessions"
        assert len(listed) == len(ids), "list returned an id more than once"

    async def test_pages_have_every_session_once_and_go_on_in_another_store(self) -> None:
        ids = [self.id(f"{number:02}") for number in range(12)]
        for id in reversed(ids):
            await self.store.save(self.new_session(id, "hello"))
        for limit in (1, 5, 12, 1000):
            assert await self.paged(limit) == ids, "the pages together must have every id once, sorted"
        with pytest.raises(InvalidArgumentError):
            await self.store.list_page(limit=0)

    async def paged(self, limit: int) -> list[str]:
        """The ids of all pages, each read through another store object."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await self.open().list_page(prefix=self.prefix, limit=limit, cursor=cursor)
            found += [info.id for info in page.sessions]
            assert len(page.sessions) <= limit, f"a page of limit={limit} has {len(page.sessions)} sessions"
            if page.next_cursor is None:
                return found
            assert page.next_cursor != cursor, "a page's cursor must lead further"
            cursor = page.next_cursor

    async def test_the_iteration_has_the_sessions_of_the_prefix(self) -> None:
        for name in ("a1", "a2", "b1"):
            await self.store.save(self.new_session(self.id(name), "hello"))
        found = [info.id async for info in self.store.iter_sessions(prefix=self.id("a"))]
        assert sorted(found) == [self.id("a1"), self.id("a2")], (
            "iter_sessions must return the sessions whose ids start with the prefix, and no others"
        )

    async def test_a_loaded_session_is_a_copy(self) -> None:
        session = self.new_session(self.id(), "saved")
        await self.store.save(session)
        self.add_text(session, "not saved")
        loaded = await self.store.load(self.id())
        assert loaded is not None, "load does not find the session that was saved"
        assert self.texts_of(loaded) == ["saved"], "a change after the save must not show in the store"
        self.add_text(loaded, "not saved")
        assert await self.stored_texts() == ["saved"], (
            "a change of a loaded session must not show in the store"
        )

    async def test_parts_come_back_or_are_refused_but_never_dropped(self) -> None:
        await self.store.save(self.new_session(self.id(), "hello"))
        artifact = ToolArtifact(
            artifact_id="a", artifact_uri="u", tool_name="t", content="c", original_bytes=1, shown_bytes=1
        )
        artifacts = ArtifactStore.with_limits([artifact])
        events = [TraceEvent.tool_execution("bash", success=True, exit_code=0, duration=0.1, output_bytes=1)]
        try:
            await self.store.save_artifacts(self.id(), artifacts)
        except NotSupportedError:
            assert await self.store.load_artifacts(self.id()) is None, "a store without artifacts loads None"
        else:
            assert await self.open().load_artifacts(self.id()) == artifacts, "artifacts were dropped silently"
        try:
            await self.store.save_trace_events(self.id(), events)
        except NotSupportedError:
            assert await self.store.load_trace_events(self.id()) is None, "a store without events loads None"
        else:
            assert await self.open().load_trace_events(self.id()) == events, "events were dropped silently"

    async def test_a_closed_store_may_be_used_again(self) -> None:
        async with self.open() as store:
            await store.save(self.new_session(self.id(), "hello"))
        await store.close()
        assert await store.exists(self.id()), "a store must be usable after close"

    async def test_a_store_has_a_name_a_location_and_good_health(self) -> None:
        assert self.store.backend_name, "a store must have a `backend_name`"
        assert self.store.location, "a store must have a `location`"
        assert self.store.location == self.open().location, "stores at one location must have one `location`"
        await self.store.health_check()
