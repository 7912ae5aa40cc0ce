"""The store: loads of many sessions in one call."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from conformance.conftest import Opener
from conformance.locations import on_every_kind
from conformance.samples import say, session_of, texts_of
from sessionbucket import (
    InvalidArgumentError,
    InvalidSessionIdError,
    SessionCorruptedError,
    SessionStore,
)


@pytest.fixture
def full(store: SessionStore[Any]) -> SessionStore[Any]:
    for number in range(9):
        store.save(session_of(f"s{number}", f"text {number}"))
    return store


@on_every_kind
@pytest.mark.parametrize("concurrency", [1, 2, 4, 100])
def test_every_session_comes_with_its_id_in_the_order_of_the_ids(full: SessionStore[Any], concurrency: int):
    ids = [f"s{number}" for number in (3, 1, 8, 0, 2, 7, 3)]
    loaded = list(full.load_many(ids, concurrency=concurrency))
    assert [id for id, _ in loaded] == ids
    assert [texts_of(session) for _, session in loaded] == [[f"text {id[1:]}"] for id in ids]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_session_that_cannot_be_loaded_comes_as_its_error_and_the_others_load(
    full: SessionStore[Any], opener: Opener, concurrency: int
):
    opener.write("truncated.json", b'{"id": ')
    ids = ["s0", "truncated", "", "gone", "s1"]
    loaded = list(full.load_many(ids, concurrency=concurrency))
    assert [id for id, _ in loaded] == ids
    first, truncated, nameless, gone, last = [session for _, session in loaded]
    assert texts_of(first) == ["text 0"]
    assert isinstance(truncated, SessionCorruptedError)
    assert isinstance(nameless, InvalidSessionIdError)
    assert gone is None
    assert texts_of(last) == ["text 1"]


def test_a_session_of_load_many_can_be_saved(full: SessionStore[Any]):
    for _, session in full.load_many(["s1", "s2"]):
        say(session, "more")
        full.save(session)
    assert texts_of(full.load("s2")) == ["text 2", "more"]


def test_ids_may_come_directly_from_a_listing(full: SessionStore[Any]):
    def ids() -> Generator[str, None, None]:
        for info in full.iter_sessions(prefix="s"):
            yield info.id

    loaded = [id for id, _ in full.load_many(ids(), concurrency=3)]
    assert loaded == full.list()


@pytest.mark.parametrize("concurrency", [1, 3])
def test_ids_are_read_only_as_far_ahead_as_sessions_load_concurrently(
    full: SessionStore[Any], concurrency: int
):
    taken = 0

    def endless() -> Generator[str, None, None]:
        nonlocal taken
        while True:
            taken += 1
            yield f"s{taken % 9}"

    loaded = full.load_many(endless(), concurrency=concurrency)
    for given in range(1, 20):
        next(loaded)
        assert taken == given - 1 + concurrency
    loaded.close()


def test_no_ids_load_nothing(full: SessionStore[Any]):
    assert list(full.load_many([])) == []


def test_an_id_that_is_no_string_comes_as_its_error(full: SessionStore[Any]):
    ids: Any = ["s0", 7, "s1"]
    _, (id, error), (_, last) = full.load_many(ids, concurrency=3)
    assert id == ids[1]
    assert isinstance(error, InvalidSessionIdError)
    assert texts_of(last) == ["text 1"]


@pytest.mark.parametrize("concurrency", [0, -1])
def test_a_concurrency_below_one_is_refused_before_the_first_load(full: SessionStore[Any], concurrency: int):
    with pytest.raises(InvalidArgumentError, match="concurrency"):
        full.load_many([], concurrency=concurrency)
    with pytest.raises(InvalidArgumentError, match="concurrency"):
        full.iter_sessions(concurrency=concurrency)


def test_a_string_instead_of_a_list_of_ids_is_refused(full: SessionStore[Any]):
    with pytest.raises(InvalidArgumentError, match="a list"):
        full.load_many("s0")
