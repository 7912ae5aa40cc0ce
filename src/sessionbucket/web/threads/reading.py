"""One page of a thread of any kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sessionbucket import DocumentStore, InvalidArgumentError, SessionStore, decode_segment
from sessionbucket.web.threads import (
    agent_framework,
    claude,
    google_adk,
    langgraph,
    langgraph_store,
    llama_index,
    openai_agents,
    pydantic_ai,
    strands,
)
from sessionbucket.web.threads.sections import Steps
from sessionbucket.web.transcript import Step, TextBlock

MOST_ENTRIES = 200
"""The most entries of one page."""

_MISSING = "It was deleted, or the address is not right."

_READERS: dict[str, Callable[[DocumentStore, str, int, int], Steps | None]] = {
    "langgraph": langgraph.read_thread,
    "langgraph-store": langgraph_store.read_namespace,
    "openai-agents": openai_agents.read_session,
    "claude": claude.read_session,
    "pydantic-ai": pydantic_ai.read_conversation,
    "strands": strands.read_session,
    "adk": google_adk.read_session,
    "adk-artifacts": google_adk.read_artifacts,
    "agent-framework": agent_framework.read_item,
    "llama-index": llama_index.read_chat,
}


class Thread(NamedTuple):
    """A page of a thread: the steps of some of its ``total`` messages, events, items or checkpoints.

    A checkpoint may have several steps: its own, and those of the messages that its tasks wrote.
    """

    kind: str
    id: str
    label: str
    steps: list[Step]
    total: int


def thread(store: SessionStore[Any], kind: str, id: str, offset: int, limit: int = MOST_ENTRIES) -> Thread:
    """Return the page of ``limit`` entries, at most 200, from position ``offset`` on, oldest first.

    ``id`` is that of a ``ThreadRow``. What is damaged or missing has a step that says so. A page of messages sends one GET for each log of the
    thread, and one for each segment with entries of the page. A snapshot of Strands and a session of Agent Framework are read whole,
    for they are one document. A thread of LangGraph, a namespace, artifacts and a workflow send one LIST for each 1,000 of their objects, and
    then read the objects of the page.

    Raises ``InvalidArgumentError`` for another kind, an id that no thread can have, and a bad offset or limit, and the errors of the server.
    """
    if kind not in _READERS:
        raise InvalidArgumentError(f"kind {kind!r} is refused: it must be one of {', '.join(_READERS)}")
    if offset < 0 or not 1 <= limit <= MOST_ENTRIES:
        raise InvalidArgumentError(
            f"offset {offset} and limit {limit} are refused: they must be at least 0, and 1 to {MOST_ENTRIES}"
        )
    found = _READERS[kind](store.documents(kind, integration=True), id, offset, limit)
    if found is None:
        found = Steps([Step("error", "It does not exist", [TextBlock(_MISSING)])], 0)
    return Thread(kind, id, _label(kind, id), found.steps, found.total)


def _label(kind: str, id: str) -> str:
    """The names in an id, as far as it has them."""
    if kind == "strands" and not id.startswith("repository/"):
        return id
    names = [(decode_segment(segment), segment) for segment in id.split("/")]
    return "/".join(segment if name is None else name for name, segment in names)
