"""The error of a conflict says which case it is, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from both_sides import SyncSide
from conformance.locations import FILE, MEMORY, Location
from conformance.samples import say, session_of
from sessionbucket import InvalidArgumentError, SessionConflictError, SessionNotFoundError


@pytest.fixture(params=[MEMORY, FILE])
def new_store(
    request: pytest.FixtureRequest, side: SyncSide, location_of: Callable[[str], Location]
) -> Callable[[], Any]:
    """Returns a store at a new location of each kind."""

    def make() -> Any:
        if request.param == MEMORY:
            return side.store(side.make("MemoryBucket"))
        return side.store(side.file_bucket(location_of(FILE).root))

    return make


def conflict_of(save: Callable[[], Any]) -> SessionConflictError:
    with pytest.raises(SessionConflictError) as caught:
        save()
    message = str(caught.value)
    assert "session 's'" in message
    assert "nothing was written" in message
    assert "update()" in message
    assert "overwrite=True" in message
    return caught.value


def test_the_conflict_of_a_new_session_says_that_one_exists(new_store):
    store = new_store()
    store.save(session_of("s", "first"))
    error = conflict_of(lambda: store.save(session_of("s", "second")))
    assert error.kind == "exists"
    assert "exists already" in str(error)


def test_the_conflict_with_another_writer_says_that_the_session_was_changed(new_store):
    store = new_store()
    store.save(session_of("s", "first"))
    mine = store.load("s")
    store.update("s", lambda session: say(session, "theirs"))
    error = conflict_of(lambda: store.save(mine))
    assert error.kind == "changed"
    assert "was changed" in str(error)


def test_the_conflict_after_a_delete_says_that_the_session_was_deleted(new_store):
    store = new_store()
    store.save(session_of("s", "first"))
    mine = store.load("s")
    store.delete("s")
    error = conflict_of(lambda: store.save(mine))
    assert error.kind == "deleted"
    assert "was deleted" in str(error)
    assert store.load("s") is None


def test_the_conflict_of_a_session_that_is_saved_to_two_stores_explains_where_it_belongs(new_store):
    one, other = new_store(), new_store()
    session = session_of("s", "first")
    one.save(session)
    other.save(session)
    error = conflict_of(lambda: one.save(session))
    assert error.kind == "loaded elsewhere"
    assert "another store" in str(error)
    assert "belongs to the store of its last load or save" in str(error)
    assert error.after(3).kind == "loaded elsewhere"
    assert "belongs to the store" in str(error.after(3))


def test_a_created_session_with_another_id_blames_create(new_store):
    store = new_store()
    with pytest.raises(InvalidArgumentError, match=r"`create` of update\('s'\) returned the session 'other'"):
        store.update("s", lambda session: None, create=lambda: session_of("other"))
    assert store.list() == []


def test_an_update_of_a_missing_session_mentions_create(new_store):
    with pytest.raises(SessionNotFoundError, match="`create`"):
        new_store().update("s", lambda session: None)
