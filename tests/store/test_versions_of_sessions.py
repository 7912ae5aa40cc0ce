"""``version_of`` and ``save(if_version=…)``: a version that leaves the process, as the ETag of an HTTP response does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from both_sides import SyncSide
from conformance.locations import FILE, MEMORY, MOTO, Location
from conformance.samples import say, session_of, texts_of
from sessionbucket import InvalidArgumentError, SessionConflictError


@pytest.fixture(params=[MEMORY, FILE, MOTO])
def new_store(
    request: pytest.FixtureRequest, side: SyncSide, location_of: Callable[[str], Location]
) -> Iterator[Callable[[], Any]]:
    """Returns stores at one location, each with its own connection."""
    location = location_of(request.param)
    memory = side.make("MemoryBucket")
    opened: list[Any] = []

    def make() -> Any:
        if location.kind == MEMORY:
            return side.store(memory)
        opened.append(side.make("open_store", location.url()))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def test_the_version_of_a_session_is_the_etag_of_its_object(new_store):
    store = new_store()
    session = session_of("s", "first")
    assert store.version_of(session) is None
    store.save(session)
    version = store.version_of(session)
    assert version is not None
    assert version.startswith('"')
    assert version == store.version_of(store.load("s")) == store.raw.get("s").info.version
    say(session, "more")
    store.save(session)
    assert store.version_of(session) not in (None, version)


def test_a_save_with_the_current_version_replaces_it_in_another_process(new_store):
    one, other = new_store(), new_store()
    session = session_of("s", "first")
    one.save(session)
    version = one.version_of(session)
    sent_back = session_of(
        "s", "first", "second"
    )  # made from the body of a request, so it remembers no version
    other.save(sent_back, if_version=version)
    assert texts_of(one.load("s")) == ["first", "second"]
    assert other.version_of(sent_back) == one.version_of(one.load("s"))


def test_a_save_with_a_stale_version_is_a_conflict_and_changes_nothing(new_store):
    store = new_store()
    session = session_of("s", "first")
    store.save(session)
    stale = store.version_of(session)
    store.update("s", lambda session: say(session, "theirs"))
    with pytest.raises(SessionConflictError) as caught:
        store.save(session_of("s", "mine"), if_version=stale)
    assert caught.value.kind == "changed"
    assert texts_of(store.load("s")) == ["first", "theirs"]
    store.delete("s")
    with pytest.raises(SessionConflictError) as caught:
        store.save(session_of("s", "mine"), if_version=stale)
    assert caught.value.kind == "deleted"
    assert store.list() == []


def test_a_save_with_a_version_and_overwrite_is_refused(new_store):
    store = new_store()
    with pytest.raises(InvalidArgumentError, match="overwrite and if_version contradict"):
        store.save(session_of("s"), overwrite=True, if_version='"v"')
    assert store.list() == []


def test_a_version_of_another_store_is_none(new_store, side: SyncSide):
    session = session_of("s")
    new_store().save(session)
    assert side.store(side.make("MemoryBucket")).version_of(session) is None
