"""The threads, sessions and conversations of integrations, listed without their frameworks."""

from __future__ import annotations

import tracemalloc
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.locations import ON_SEAWEEDFS, Location, unique_name
from sessionbucket import (
    INTEGRATION_FOLDERS,
    PAGE_LIMIT,
    InvalidArgumentError,
    MemoryBucket,
    ObjectInfo,
    ObjectPage,
    SessionStore,
    encode_segment,
    open_store,
)
from sessionbucket._core.document_keys import decode_segment
from sessionbucket._core.integration_folders import FOLDERS
from sessionbucket._core.pagination import encode_cursor
from sessionbucket.testing import FaultyBucket
from store.integration_documents import LONG, NAMES, append, write_all

OBJECTS = {
    "langgraph": 3,
    "langgraph-store": 2,
    "openai-agents": 3,
    "claude": 6,
    "pydantic-ai": 3,
    "strands": 4,
    "adk": 3,
    "adk-artifacts": 1,
    "agent-framework": 3,
    "llama-index": 3,
}


def expected(kind: str, name: str) -> tuple[str, ...]:
    """The names of the item that is called ``name``."""
    before = {
        "langgraph-store": ("a",),
        "claude": ("p",),
        "strands": ("repository",),
        "adk": ("app", name),
        "adk-artifacts": ("app", "user"),
        "agent-framework": ("history", "memory"),
    }
    return (*before.get(kind, ()), name)


PLAIN = ("plain", "x", "x.y", "x-", "ü/ %~")


@pytest.fixture
def url() -> str:
    return f"memory://{unique_name()}"


@pytest.fixture(scope="module")
def filled_url() -> str:
    """A store with items of every integration, for both sides."""
    url = f"memory://{unique_name()}"
    with open_store(url) as store:
        for name in (*PLAIN, LONG):
            write_all(store, name)
    return url


def test_every_folder_has_a_layout():
    assert set(FOLDERS) == INTEGRATION_FOLDERS == set(NAMES)


@pytest.mark.parametrize("kind", NAMES)
def test_each_item_is_listed_by_its_true_name_with_all_its_objects(side: Any, filled_url: str, kind: str):
    store = side.make("open_store", filled_url)
    found = {info.names: info for info in store.iter_integration(kind)}
    long = expected(kind, LONG)
    if kind in ("adk-artifacts", "agent-framework"):
        long = (*long[:2], encode_segment(LONG))  # no object has the name of the session in it
    for names in (*(expected(kind, name) for name in PLAIN), long):
        assert found[names].objects == OBJECTS[kind]
    rows = [info for info in store.documents(kind, integration=True).list() if "user.json" not in info.key]
    assert sum(info.size for info in found.values()) == sum(info.size for info in rows)
    assert max(info.updated_at for info in found.values()) == max(info.updated_at for info in rows)


@pytest.mark.parametrize("kind_of_location", ON_SEAWEEDFS)
def test_names_that_a_server_sorts_in_another_way_keep_their_objects(
    location_of: Callable[[str], Location], kind_of_location: str
):
    location = location_of(kind_of_location)
    names = ("x", "x.y", "x-", "x.a")
    logs = [f"openai-agents/{{}}{name}" for name in names] + [f"claude/p/s/{{}}{name}" for name in names]
    segments = [log.format("sealed/") + f"/{number:032x}" for log in logs for number in range(2)]
    location.fill([*(f"{log.format('')}.log" for log in logs), *segments])
    location.fill([f"claude/p/a/{name}/agent.log" for name in names])
    with open_store(location.url()) as store:
        for kind, objects in (("openai-agents", 3), ("claude", 4)):
            found = {info.names[-1]: info.objects for info in store.iter_integration(kind)}
            assert found == dict.fromkeys(names, objects)


def test_keys_of_strands_are_shown_as_they_are(url: str):
    store = open_store(url)
    documents = store.documents("strands", integration=True)
    for key in ("session/a%2Fb/scopes/x", "notes", "repository/a%2Fb/session.json"):
        documents.put(key, b"{}")
    assert [info.names for info in store.iter_integration("strands")] == [
        ("notes",),
        ("repository", "a/b"),
        ("session", "a%2Fb"),
    ]


def test_a_folder_that_no_one_wrote_is_empty(side: Any, url: str):
    assert list(side.make("open_store", url).iter_integration("langgraph")) == []


def test_an_unknown_kind_is_refused_with_the_known_ones(side: Any, url: str):
    store = side.make("open_store", url)
    with pytest.raises(InvalidArgumentError, match=r"'notes' is refused.*langgraph, .*adk-artifacts"):
        list(store.iter_integration("notes"))
    with pytest.raises(InvalidArgumentError, match="kind"):
        list(store.iter_integration(1))


def test_an_unreadable_document_leaves_the_hash_in_the_place_of_the_name(url: str):
    store = open_store(url)
    documents = store.documents("openai-agents", integration=True)
    documents.put(f"{encode_segment(LONG)}.log", b'{"format":2}\n')
    (info,) = store.iter_integration("openai-agents")
    assert info.names == (encode_segment(LONG),)


def test_a_listing_sends_a_few_lists_and_reads_only_documents_with_long_names():
    bucket = FaultyBucket(MemoryBucket())
    store = SessionStore(bucket)
    for name in ("a", "b", LONG):
        write_all(store, name)
    lists = {
        "openai-agents": 2,
        "pydantic-ai": 2,
        "adk": 2,
        "claude": 3,
        "agent-framework": 2,
        "llama-index": 2,
    }
    unnamed = ("adk-artifacts", "agent-framework")
    for kind in NAMES:
        bucket.calls.clear()
        list(store.iter_integration(kind))
        counts = Counter(call.operation for call in bucket.calls)
        assert counts == {"list_page": lists.get(kind, 1), **({} if kind in unnamed else {"get": 1})}


class LongListing(MemoryBucket):
    """Lists sessions with one sealed segment each, and keeps no object."""

    def __init__(self, sessions: int) -> None:
        super().__init__()
        self._sessions = sessions

    def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        rows = range(2 * self._sessions)
        first = bisect_right(rows, start_after, key=self._key)
        chosen = rows[first : first + min(limit, PAGE_LIMIT)]
        now = datetime.now(UTC)
        objects = [ObjectInfo(self._key(row), 1, now) for row in chosen]
        return ObjectPage(objects, [], objects[-1].key if chosen and chosen[-1] != rows[-1] else None)

    def _key(self, row: int) -> str:
        number = row % self._sessions
        if row < self._sessions:
            return f"openai-agents/{number:06}.log"
        return f"openai-agents/sealed/{number:06}/{number:032x}"


@pytest.mark.parametrize("kind", NAMES)
def test_pages_have_the_items_of_the_listing(side: Any, filled_url: str, kind: str):
    store = side.make("open_store", filled_url)
    expected = list(store.iter_integration(kind))
    for limit in (1, 4, 100):
        found: list[Any] = []
        cursor = None
        while True:
            page = store.integration_page(kind, limit=limit, cursor=cursor)
            assert len(page.items) <= limit
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == expected


@pytest.mark.parametrize("kind_of_location", ON_SEAWEEDFS)
def test_pages_of_a_server_that_sorts_in_another_way_have_all_objects(
    location_of: Callable[[str], Location], kind_of_location: str
):
    location = location_of(kind_of_location)
    names = ("x", "x.y", "x-", "x.a", "a", "xx")
    location.fill([f"openai-agents/{name}.log" for name in names])
    location.fill([f"openai-agents/sealed/{name}/{0:032x}" for name in names])
    with open_store(location.url()) as store:
        expected = list(store.iter_integration("openai-agents"))
        assert {info.objects for info in expected} == {2}
        found, cursor = [], None
        for _ in expected:
            page = store.integration_page("openai-agents", limit=1, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
        assert cursor is None
        assert found == expected


def test_a_page_jumps_over_the_segments_of_other_logs(side: Any):
    bucket = FaultyBucket(LongListing(10_000))
    store = side.make("SessionStore", side.adapt(bucket))
    page = store.integration_page("openai-agents", limit=10)
    last = store.integration_page("openai-agents", limit=10, cursor=encode_cursor("009995.log"))
    assert [info.objects for info in page.items + last.items] == [2] * 14
    assert last.next_cursor is None
    # Two of the first page. The last one is followed by 10,000 segments, of which the listing passes 1,000 to 2,000.
    assert Counter(call.operation for call in bucket.calls) == {"list_page": 2 + 4}


def test_a_page_ends_early_for_items_of_many_objects(
    side: Any, monkeypatch: pytest.MonkeyPatch, filled_url: str
):
    for module in ("_async", "_sync"):
        monkeypatch.setattr(f"sessionbucket.{module}.integration_listing._MOST_OBJECTS", 4)
    store = side.make("open_store", filled_url)
    page = store.integration_page("langgraph")
    assert [info.objects for info in page.items] == [3, 3]
    assert page.next_cursor is not None


def test_a_bad_cursor_limit_or_kind_of_a_page_is_refused(side: Any, url: str):
    store = side.make("open_store", url)
    for options in ({"cursor": "x"}, {"cursor": encode_cursor("a/b.log")}, {"limit": 0}):
        with pytest.raises(InvalidArgumentError):
            store.integration_page("openai-agents", **options)
    with pytest.raises(InvalidArgumentError, match="'notes' is refused"):
        store.integration_page("notes")


def test_the_memory_of_a_listing_does_not_grow_with_the_store():
    peaks = []
    for sessions in (1_000, 3_000):
        with SessionStore(LongListing(sessions)) as store:
            tracemalloc.start()
            assert sum(info.objects for info in store.iter_integration("openai-agents")) == 2 * sessions
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_a_listing_that_is_left_early_asks_for_no_more(tmp_path: Path):
    store = open_store(tmp_path.as_uri())
    documents = store.documents("openai-agents", integration=True)
    for number in range(3):
        append(documents, str(number), {})
    items = store.iter_integration("openai-agents")
    assert next(items).names == ("0",)
    items.close()


@given(st.text())
def test_a_segment_is_decoded_to_its_text_unless_it_is_cut(text: str):
    segment = encode_segment(text)
    assert decode_segment(segment) == (None if "%~" in segment and text else text)
