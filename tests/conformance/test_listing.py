"""The store: listings. The pages of every bucket are those of a store in memory."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.conftest import Opener
from conformance.locations import AZURITE, FILE, MEMORY, SEAWEEDFS
from conformance.samples import session_of
from sessionbucket import InvalidArgumentError, MemoryBucket, SessionInfo, SessionStore
from sessionbucket._core.keys import StoreKeys

IDS = [
    "a",
    "a-b",
    "a/b",
    "a.b",
    "A",
    "artifacts",
    "artifacts-x",
    "artifacts/s",
    "traces",
    "traces+1",
    "user:1/session:1",
    "user:1/session:2",
    "user:10/session:1",
    "verification",
    "é",
    "😀",
    "~",
    ".hidden",
    "100%",
]
PREFIXES = [
    "",
    "a",
    "a/",
    "user:1",
    "user:1/",
    "user:1/session:2",
    "é",
    "😀",
    ".",
    "%",
    "100%",
    "artifacts",
    "none",
]


@pytest.fixture
def full(store: SessionStore[Any], opener: Opener) -> SessionStore[Any]:
    every = [StoreKeys().of_session(id) for id in IDS]
    some = [StoreKeys().of_session(id) for id in ("a", "a/b", "artifacts", "~")]
    opener.fill([keys.session for keys in every])
    opener.fill([key for keys in some for key in (keys.artifacts, keys.traces, keys.file("file"))])
    return store


@pytest.fixture
def model() -> SessionStore[Any]:
    """The same sessions in memory, without parts."""
    bucket = MemoryBucket()
    for id in IDS:
        bucket.put(StoreKeys().of_session(id).session, b"{}")
    return SessionStore(bucket)


def pages(store: SessionStore[Any], prefix: str, limit: int) -> list[list[str]]:
    found: list[list[str]] = []
    cursor = None
    while True:
        page = store.list_page(prefix=prefix, limit=limit, cursor=cursor)
        found.append([info.id for info in page.sessions])
        if page.next_cursor is None:
            return found
        assert page.next_cursor != cursor
        cursor = page.next_cursor


def test_an_empty_store_lists_nothing(store: SessionStore[Any]):
    assert store.list() == []
    page = store.list_page()
    assert (page.sessions, page.next_cursor) == ([], None)
    assert list(store.iter_sessions()) == []


def test_list_returns_every_true_id_once_in_the_order_of_the_keys(
    full: SessionStore[Any], model: SessionStore[Any]
):
    listed = full.list()
    assert sorted(listed) == sorted(IDS)
    assert listed == model.list()
    assert listed == [info.id for info in full.iter_sessions()]


def test_pages_are_those_of_the_store_in_memory(full: SessionStore[Any], model: SessionStore[Any]):
    for limit in (1, 2, 3, 5, 7, 18, 19, 20, 996, 1000, 5000):
        assert pages(full, "", limit) == pages(model, "", limit), limit


def test_a_prefix_of_ids_lists_the_ids_that_start_with_it(full: SessionStore[Any], model: SessionStore[Any]):
    for prefix in PREFIXES:
        expected = [id for id in model.list() if id.startswith(prefix)]
        assert [info.id for info in full.iter_sessions(prefix=prefix)] == expected, prefix
        for limit in (1, 2, 1000):
            found = pages(full, prefix, limit)
            assert [id for page in found for id in page] == expected, prefix
            assert found == pages(model, prefix, limit), prefix


def test_a_listed_session_has_its_size_time_and_version(full: SessionStore[Any], opener: Opener):
    page = full.list_page(prefix="user:1/session:1")
    [info] = page.sessions
    assert isinstance(info, SessionInfo)
    body = opener.read("user%3A1%2Fsession%3A1.json")
    head = full.bucket.head(opener.location.key("user%3A1%2Fsession%3A1.json"))
    assert head is not None
    assert info.size == len(body)
    assert info.updated_at is not None
    assert abs((info.updated_at - head.updated_at).total_seconds()) < 1
    assert info.version == (None if opener.location.kind == FILE else head.version)
    assert [info] == list(full.iter_sessions(prefix="user:1/session:1"))


def test_a_cursor_continues_in_another_store_while_sessions_are_created_and_deleted(opener: Opener):
    store = opener.store()
    for number in range(6):
        store.save(session_of(f"s{number}"))
    first = store.list_page(limit=3)
    assert [info.id for info in first.sessions] == ["s0", "s1", "s2"]
    store.delete("s2")
    store.delete("s3")
    store.save(session_of("s0.5"))
    store.save(session_of("s4.5"))
    store.close()
    second = opener.store().list_page(limit=3, cursor=first.next_cursor)
    assert [info.id for info in second.sessions] == ["s4.5", "s4", "s5"]  # in the order of the keys
    assert second.next_cursor is None


def test_a_cursor_of_one_bucket_is_valid_in_every_other(full: SessionStore[Any], model: SessionStore[Any]):
    for limit in (1, 4, 11):
        mine, theirs = full.list_page(limit=limit), model.list_page(limit=limit)
        assert mine.next_cursor == theirs.next_cursor


@pytest.mark.parametrize("cursor", ["nonsense", "!", "Zm9v", "é", "MTo", " ", "a" * 500])
def test_a_cursor_that_list_page_did_not_return_is_refused(store: SessionStore[Any], cursor: str):
    if cursor == "MTo":
        store.list_page(cursor=cursor)  # the row without a name: the beginning
        return
    with pytest.raises(InvalidArgumentError, match="cursor"):
        store.list_page(cursor=cursor)


def test_a_cursor_of_another_prefix_is_refused(full: SessionStore[Any]):
    page = full.list_page(prefix="user:", limit=1)
    with pytest.raises(InvalidArgumentError, match="prefix"):
        full.list_page(prefix="a", limit=1, cursor=page.next_cursor)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(store: SessionStore[Any], limit: int):
    with pytest.raises(InvalidArgumentError, match="limit"):
        store.list_page(limit=limit)


@pytest.mark.parametrize("prefix", ["a\0", "\ud800", "x" * 201])
def test_a_prefix_that_no_id_can_have_is_refused(full: SessionStore[Any], prefix: str):
    with pytest.raises(InvalidArgumentError):
        full.list_page(prefix=prefix)


def test_an_object_that_is_no_session_is_not_listed(store: SessionStore[Any], opener: Opener):
    store.save(session_of("s"))
    for name in ("readme.txt", "notes/today.json", "s.json.bak", ".sessionbucket/health/x", "s.JSON"):
        opener.write(name, b"x")
    assert store.list() == ["s"]
    assert pages(store, "", 1) == [["s"]]


def test_an_object_that_another_program_named_is_listed_under_its_stem(
    store: SessionStore[Any], opener: Opener
):
    names = ["schedule:nightly", "100%", "%zz", "%41", "%c3%a9", "a b", "é"]
    for name in names:
        opener.write(f"{name}.json", b"{}")
    assert set(store.list()) == set(names)


def test_thousands_of_sessions_are_listed(store: SessionStore[Any], opener: Opener):
    if opener.location.kind in (SEAWEEDFS, AZURITE):
        pytest.skip(
            "a thousand puts take this server several seconds; the pages of its engine are tested above"
        )
    ids = [f"session-{number:05d}" for number in range(2100)]
    opener.fill([f"{id}.json" for id in ids])
    opener.fill([f"traces/{id}.json" for id in ids[:50]])
    opener.fill([f"artifacts/{id}/artifacts.json" for id in ids[:50]])
    assert store.list() == ids
    for limit in (999, 1700):
        found = pages(store, "", limit)
        assert [id for page in found for id in page] == ids
        if opener.location.kind in (MEMORY, FILE) or limit < 996:
            continue
        assert all(len(page) >= 995 for page in found[:-1])
    assert len(pages(store, "session-009", 40)) == 3


def test_ids_that_begin_with_a_zero_are_listed_by_that(store: Any):
    """The character before ``0`` is the slash, which no key begins with."""
    for id in ("0", "00-chat", "1", "a0"):
        store.save(session_of(id))
    assert [session.id for session in store.iter_sessions(prefix="0")] == ["0", "00-chat"]
    assert [session.id for session in store.list_page(prefix="0").sessions] == ["0", "00-chat"]
