"""The pages of the threads of agent frameworks, over a reader of them."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

import sessionbucket.web.pages
from sessionbucket.web.transcript import DataBlock, Step, TextBlock, ToolCallBlock
from web.viewing import Viewer, link, text_of

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def kinds(store: Any) -> list[Any]:
    return [
        SimpleNamespace(kind="langgraph", title="LangGraph: threads", items=100, has_more=True),
        SimpleNamespace(kind="adk", title="Google ADK", items=None, has_more=False),
    ]


def page(store: Any, kind: str, cursor: str | None, limit: int) -> Any:
    number = int(cursor or 0)
    row = SimpleNamespace(id=f"id/{number}", label=f"<b>thread {number}", size=1_234, updated=MOMENT)
    return SimpleNamespace(rows=[row], cursor=str(number + 1) if number < 2 else None)


def thread(store: Any, kind: str, id: str, offset: int, limit: int) -> Any:
    blocks = [
        TextBlock("<script>"),
        ToolCallBlock("c", "search", {"q": 1}, [TextBlock("found")]),
        DataBlock("state", {"a": [1]}),
    ]
    steps = [
        Step("assistant", f"Entry {number}", list(blocks), [("node", "agent")], MOMENT)
        for number in range(offset, min(offset + limit, 450))
    ]
    return SimpleNamespace(kind=kind, id=id, label=id, steps=steps, total=450)


@pytest.fixture
def viewed(store, monkeypatch) -> Viewer:
    reader = SimpleNamespace(
        kinds=kinds, page=page, thread=thread, TITLES={"langgraph": "LangGraph: threads"}
    )
    monkeypatch.setattr(sessionbucket.web.pages, "threads", reader)
    return Viewer(store)


def test_the_kinds_lead_to_their_threads(viewed):
    kinds_page = viewed.get(link(viewed.get("/"), "Threads"))
    assert "LangGraph: threads 100 items or more" in text_of(kinds_page)
    assert "Google ADK cannot be listed" in text_of(kinds_page)
    rows = viewed.get("/threads/langgraph")
    assert "<b>thread 0 1.2 kB 2026-01-02 03:04:05 UTC" in text_of(rows).replace("  ", " ")
    assert "thread 1" in viewed.follow(rows, "Next page")
    item = viewed.follow(rows, "&lt;b&gt;thread 0")
    assert "id/0" in text_of(item)


def test_a_thread_has_pages_of_steps(viewed):
    first = viewed.get("/threads/langgraph/item?id=x")
    text = text_of(first)
    assert "450 entries" in text
    assert "Entry 0 node agent 2026-01-02 03:04:05 UTC <script>" in text
    assert "search c Arguments q 1 Result found" in text
    assert "<script>" not in first
    last = viewed.follow(viewed.follow(first, "Next"), "Next")
    assert "Entry 449" in text_of(last)
    assert link(last, "Next") is None
