"""``BaseSessionStore``: the methods that a backend of five methods inherits."""

from __future__ import annotations

from pathlib import Path
from threading import get_ident

import pytest

from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from sessionbucket import (
    AsyncBaseSessionStore,
    AsyncSessionStore,
    BaseSessionStore,
    InvalidArgumentError,
    NotSupportedError,
    SessionConflictError,
    SessionData,
    SessionNotFoundError,
    SessionStore,
)
from sessionbucket.models import ArtifactStore
from store.own_stores import DictStore
from testing.sqlite_store import RowSession, SqliteStore

IDS = ["b", "a", "é", "user/1", "user/2", "user/10"]


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "sessions.db")


def row_of(id: str, *texts: str) -> RowSession:
    return RowSession.model_validate(session_of(id, *texts).model_dump())


def test_only_five_methods_are_abstract():
    for kind in (BaseSessionStore, AsyncBaseSessionStore):
        assert kind.__abstractmethods__ == {"save", "load", "delete", "list", "exists"}
        with pytest.raises(TypeError, match="abstract"):
            kind()  # type: ignore[abstract]
    assert issubclass(SessionStore, BaseSessionStore)
    assert issubclass(AsyncSessionStore, AsyncBaseSessionStore)


def test_loads_of_parts_return_none(store: SqliteStore):
    store.save(row_of("s"))
    assert store.load_artifacts("s") is None
    assert store.load_trace_events("s") is None
    assert store.load_verification_reports("s") is None
    assert store.list_files("s") == []
    store.delete_file("s", "x")


def test_saves_of_parts_that_would_drop_data_are_refused(store: SqliteStore):
    for call in (
        lambda: store.save_artifacts("s", artifacts_of("x")),
        lambda: store.save_trace_events("s", [event_of("x")]),
        lambda: store.append_trace_events("s", [event_of("x")]),
        lambda: store.save_verification_reports("s", [report_of("x")]),
        lambda: store.put_file("s", "x", b"x"),
        lambda: store.open_file("s", "x"),
    ):
        with pytest.raises(NotSupportedError, match="sqlite"):
            call()


def test_saves_of_empty_parts_change_nothing(store: SqliteStore):
    store.save_artifacts("s", ArtifactStore())
    store.save_trace_events("s", [])
    store.append_trace_events("s", [])
    store.save_verification_reports("s", [])


def test_pages_are_sorted_and_continue_from_their_cursor(store: SqliteStore):
    for id in IDS:
        store.save(row_of(id))
    found, cursor = [], None
    while True:
        page = store.list_page(limit=4, cursor=cursor)
        found.append([info.id for info in page.sessions])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [["a", "b", "user/1", "user/10"], ["user/2", "é"]]
    assert [info.id for info in store.list_page(prefix="user/1").sessions] == ["user/1", "user/10"]
    assert [info.id for info in store.iter_sessions(prefix="user/")] == ["user/1", "user/10", "user/2"]
    for wrong in ({"limit": 0}, {"cursor": "nonsense"}):
        with pytest.raises(InvalidArgumentError):
            store.list_page(**wrong)


def test_update_starts_again_when_another_writer_has_saved(store: SqliteStore):
    store.save(row_of("s", "base"))
    texts = iter(["theirs 1", "theirs 2"])

    def change(session: RowSession) -> None:
        for text in texts:
            store.save(row_of("s", text), overwrite=True)
            break
        say(session, "mine")

    updated = store.update("s", change)
    assert texts_of(updated) == texts_of(store.load("s")) == ["theirs 2", "mine"]
    with pytest.raises(SessionNotFoundError):
        store.update("nothing", lambda session: say(session, "mine"))
    made = store.update("new", lambda session: say(session, "mine"), create=lambda: RowSession(id="new"))
    assert texts_of(made) == ["mine"]


def test_the_second_save_of_two_copies_of_a_session_is_a_conflict(store: SqliteStore):
    store.save(row_of("s", "base"))
    one, two = store.load("s"), store.load("s")
    store.save(one)
    with pytest.raises(SessionConflictError):
        store.save(two)


def test_a_users_own_store_has_a_name_a_location_and_a_health_check(store: SqliteStore):
    assert store.backend_name == "sqlite"
    store.health_check()
    assert DictStore().backend_name == "unknown"


async def test_an_async_store_inherits_the_same_methods():
    async with DictStore() as store:
        for id in IDS:
            await store.save(session_of(id, "base"))
        assert await store.load_artifacts("a") is None
        assert await store.load_trace_events("a") is None
        assert await store.load_verification_reports("a") is None
        assert await store.list_files("a") == []
        await store.save_artifacts("a", ArtifactStore())
        await store.save_trace_events("a", [])
        await store.append_trace_events("a", [])
        await store.save_verification_reports("a", [])
        for call in (
            lambda: store.save_artifacts("a", artifacts_of("x")),
            lambda: store.save_trace_events("a", [event_of("x")]),
            lambda: store.append_trace_events("a", [event_of("x")]),
            lambda: store.save_verification_reports("a", [report_of("x")]),
            lambda: store.put_file("a", "x", b"x"),
            lambda: store.open_file("a", "x"),
        ):
            with pytest.raises(NotSupportedError, match="unknown"):
                await call()
        page = await store.list_page(limit=4)
        rest = await store.list_page(limit=4, cursor=page.next_cursor)
        assert [info.id for info in (*page.sessions, *rest.sessions)] == sorted(IDS)
        assert rest.next_cursor is None
        listed = [info.id async for info in store.iter_sessions(prefix="user/")]
        assert listed == ["user/1", "user/2", "user/10"]

        async def change(session: SessionData) -> None:
            say(session, "awaited")

        await store.update("a", change)
        await store.update("a", lambda session: say(session, "called"))
        assert texts_of(await store.load("a")) == ["base", "awaited", "called"]
        await store.health_check()


def test_load_many_loads_one_at_a_time_in_the_callers_thread_by_default(store: SqliteStore):
    threads = set()

    class Watched(SqliteStore):
        def load(self, id: str) -> RowSession | None:
            threads.add(get_ident())
            return super().load(id)

    for id in IDS:
        store.save(row_of(id, id))
    loaded = list(Watched(store._path).load_many([*IDS, "gone"]))
    assert threads == {get_ident()}
    assert [id for id, _ in loaded] == [*IDS, "gone"]
    assert [session and texts_of(session) for _, session in loaded] == [*([id] for id in IDS), None]


async def test_load_many_loads_from_an_async_backend():
    store = DictStore()
    for id in IDS:
        await store.save(session_of(id, id))
    assert [id async for id, _ in store.load_many(IDS, concurrency=3)] == IDS
