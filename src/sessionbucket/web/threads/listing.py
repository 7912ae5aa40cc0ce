"""The kinds that a store has, and the threads of one kind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, NamedTuple

from sessionbucket import AccessDeniedError, SessionStore

TITLES = {
    "langgraph": "LangGraph: threads",
    "langgraph-store": "LangGraph: long-term memory",
    "openai-agents": "OpenAI Agents SDK: sessions",
    "claude": "Claude Agent SDK: sessions",
    "pydantic-ai": "pydantic-ai: conversations",
    "strands": "Strands Agents: sessions",
    "adk": "Google ADK: sessions",
    "adk-artifacts": "Google ADK: artifacts",
    "agent-framework": "Microsoft Agent Framework: sessions and workflows",
    "llama-index": "LlamaIndex: chats",
}
"""The kinds, in the order in which they are shown."""
_MOST_COUNTED = 100


class KindSummary(NamedTuple):
    """How many threads a store has of a kind: ``items``, and more with ``has_more``. It is None for a kind that cannot be listed."""

    kind: str
    title: str
    items: int | None
    has_more: bool = False


class ThreadRow(NamedTuple):
    """A thread in the list: what opens it, its name, the size of all its objects in bytes, and the time of the latest."""

    id: str
    label: str
    size: int
    updated: datetime


class ThreadPage(NamedTuple):
    """One page of the list, and the cursor of the next one, or None on the last."""

    rows: list[ThreadRow]
    cursor: str | None


def kinds(store: SessionStore[Any]) -> list[KindSummary]:
    """Count the threads of each kind that the store has, at most 100 of each, all kinds at once.

    Sends one to three LISTs for each kind, and more, at most about ten, for threads of many objects. A kind that the server refuses to list is
    in the result.
    """
    with ThreadPoolExecutor(len(TITLES)) as pool:
        return [found for found in pool.map(lambda kind: _summary(store, kind), TITLES) if found.items != 0]


def page(store: SessionStore[Any], kind: str, cursor: str | None, limit: int) -> ThreadPage:
    """Return at most ``limit`` threads of a kind, in the order of their keys, from the cursor on.

    Sends the requests of ``store.integration_page``, and raises its errors.
    """
    found = store.integration_page(kind, limit=limit, cursor=cursor)
    rows = [ThreadRow(info.path, "/".join(info.names), info.size, info.updated_at) for info in found.items]
    return ThreadPage(rows, found.next_cursor)


def _summary(store: SessionStore[Any], kind: str) -> KindSummary:
    try:
        found = page(store, kind, None, _MOST_COUNTED)
    except AccessDeniedError:
        return KindSummary(kind, TITLES[kind], None)
    return KindSummary(kind, TITLES[kind], len(found.rows), has_more=found.cursor is not None)
