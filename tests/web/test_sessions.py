"""The list: filters, sorts and pages, and what they cost."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from sessionbucket import AccessDeniedError, Conversation, SessionStore
from sessionbucket.web import session_list
from web.viewing import Viewer, ids_in, link, make_session, text_of

OWNERS = ("ada", "grace")


def fill(store: SessionStore, count: int, prefix: str = "s") -> None:
    for number in range(count):
        session = make_session(f"{prefix}{number:04}", f"text {number}", principal=OWNERS[number % 2])
        session.tags = ["third"] if number % 3 == 0 else []
        session.total_cost = float(number * 7 % 11)
        session.updated_at = 1_700_000_000 + number
        store.save(session)


def every_page(viewed: Viewer, path: str) -> list[str]:
    """The ids on a page and all after it."""
    found, page = [], viewed.get(path)
    while True:
        found += ids_in(page)
        assert len(set(found)) == len(found)
        href = link(page, "Next page")
        if href is None:
            return found
        page = viewed.get(href)


def test_a_row_has_the_facts_of_its_session(store, viewed):
    session = make_session("chat-1", "Where is my bag?", principal="ada", tags=["lost & found"])
    session.total_cost, session.total_usage.total_tokens, session.updated_at = 1.5, 12_345, 1_700_000_000
    store.save(session)
    text = text_of(viewed.get("/"))
    for fact in (
        "Where is my bag?",
        "chat-1",
        "ada",
        "lost & found",
        "$1.50",
        "12,345",
        "2023-11-14 22:13 UTC",
    ):
        assert fact in text


def test_the_pages_have_every_session_once(store, viewed):
    fill(store, 130)
    assert every_page(viewed, "/") == store.list()


@pytest.mark.parametrize("count", [120, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_page_costs_what_summary_page_costs(store, bucket, viewed, count):
    fill(store, count)
    del bucket.calls[:]
    SessionStore(bucket).summary_page(limit=session_list.PAGE)
    expected = sorted(call.operation for call in bucket.calls)
    del bucket.calls[:]
    viewed.get("/")
    assert sorted(call.operation for call in bucket.calls) == expected
    assert len(expected) <= session_list.PAGE + 3, "a HEAD for each row, and the listings"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("prefix=s000", range(10)),
        ("owner=ada", range(0, 120, 2)),
        ("tag=third", range(0, 120, 3)),
        ("text=TEXT+11", [11, *range(110, 120)]),
        ("owner=grace&tag=third", range(3, 120, 6)),
        ("owner=nobody", []),
    ],
)
def test_filters_find_every_session_once(store, viewed, filters, expected):
    fill(store, 120)
    assert every_page(viewed, f"/?{filters}") == [f"s{number:04}" for number in expected]


def test_a_filtered_list_reads_a_bounded_number_of_sessions(store, bucket, viewed, monkeypatch):
    monkeypatch.setattr("sessionbucket.web.viewed_store.CHUNK", 20)
    monkeypatch.setattr(session_list, "MOST_SEARCHED", 40)
    fill(store, 100)
    page = viewed.get("/?text=text+99")
    assert ids_in(page) == []
    assert "40 sessions searched, and there are more" in text_of(page)
    page = viewed.follow(page, "search on")
    assert ids_in(page) == []
    assert ids_in(viewed.follow(page, "Next page")) == ["s0099"]


def test_a_filter_goes_on_within_a_part_that_was_read(store, viewed, monkeypatch):
    monkeypatch.setattr("sessionbucket.web.viewed_store.CHUNK", 30)
    monkeypatch.setattr(session_list, "PAGE", 7)
    fill(store, 100)
    assert every_page(viewed, "/?owner=ada") == [f"s{number:04}" for number in range(0, 100, 2)]


@pytest.mark.parametrize("sort", ["cost", "-cost", "updated", "-updated", "owner"])
def test_a_sort_is_that_of_the_whole_prefix(store, viewed, sort):
    fill(store, 120)
    fill(store, 5, prefix="other")
    field = {"cost": "cost", "updated": "updated_at", "owner": "owner"}[sort.removeprefix("-")]
    found = every_page(viewed, f"/?prefix=s&sort={sort}")
    summaries = {summary.id: summary for summary in store.summaries(prefix="s")}
    values = [getattr(summaries[id], field) for id in found]
    assert sorted(found) == sorted(summaries)
    assert values == sorted(values, reverse=sort.startswith("-"))


def test_a_sort_says_when_it_has_not_read_all(store, viewed, monkeypatch):
    monkeypatch.setattr("sessionbucket.web.viewed_store.CHUNK", 10)
    monkeypatch.setattr(session_list, "MOST_SORTED", 30)
    fill(store, 60)
    text = text_of(viewed.get("/?sort=-cost"))
    assert "only the first ones by id are sorted" in text
    assert "30 sessions" in text
    assert "only the first" not in text_of(viewed.get("/?sort=-cost&prefix=s000"))


def test_sessions_without_a_value_come_last(store, viewed):
    store.save(make_session("a"))
    store.save(make_session("b", principal="ada"))
    assert viewed.ids(sort="owner") == viewed.ids(sort="-owner") == ["b", "a"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'{"id": "other"}', b"\xff\xfe", b'{"id": "broken", "id": "broken"}']
)
def test_a_corrupt_session_is_a_row_that_says_so(store, bucket, viewed, body):
    store.save(make_session("whole"))
    bucket.put("broken.json", body)
    page = viewed.get("/")
    assert set(ids_in(page)) == {"broken", "whole"}
    assert "cannot be read" in text_of(page)
    assert "cannot be read" in text_of(viewed.get("/?sort=cost"))
    assert "1 session cannot be read and do not count" in text_of(viewed.get("/usage"))


def test_a_session_that_may_not_be_read_is_a_row_that_says_so(store, bucket, viewed):
    fill(store, 3)
    denied = AccessDeniedError("403 AccessDenied", location="memory://", key="s0001.json")
    bucket.fail("head", key="s0001.json", times=None, error=denied)
    page = viewed.get("/")
    assert ids_in(page) == ["s0000", "s0001", "s0002"]
    assert "403 AccessDenied" in text_of(page)


def test_a_listing_that_is_refused_has_a_page_of_its_own(bucket, viewed):
    bucket.fail("list_page", times=None, error=AccessDeniedError("403 AccessDenied", location="memory://"))
    text = text_of(viewed.get("/", status=403))
    assert "The store refuses access" in text
    assert "403 AccessDenied" in text


def test_conversations_are_listed_and_cost_what_summary_page_costs(bucket, viewed):
    conversations = SessionStore(bucket, model=Conversation)
    for number in range(40):
        conversations.save(
            Conversation(
                id=f"c{number:02}", title=f"Title {number}", messages=[{"role": "user", "content": "x"}]
            )
        )
    assert "Title 7" in text_of(viewed.get("/"))
    del bucket.calls[:]
    assert "Title 7" in text_of(viewed.get("/"))
    assert "get" not in {call.operation for call in bucket.calls}


class Note(BaseModel):
    id: str
    title: str
    pages: int


def test_sessions_of_several_models_are_rows_of_one_list(store, bucket, viewed):
    store.save(make_session("data", "of a3s-code"))
    SessionStore(bucket, model=Note).save(Note(id="note", title="A model of its own", pages=3))
    SessionStore(bucket, model=Conversation).save(Conversation(id="conversation", title="Any provider"))
    text = text_of(viewed.get("/"))
    for title in ("of a3s-code", "A model of its own", "Any provider"):
        assert title in text
    assert "cannot be read" not in text


def test_an_empty_store_says_so(viewed):
    assert "This store has no sessions yet." in viewed.get("/")
    assert "No session matches." in viewed.get("/?owner=ada")
    assert "0" in text_of(viewed.get("/usage"))
