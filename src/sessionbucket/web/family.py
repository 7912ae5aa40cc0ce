"""The parents and the forks of a session."""

from __future__ import annotations

from dataclasses import dataclass

from sessionbucket import SessionSummary
from sessionbucket.web.session_list import read_summaries
from sessionbucket.web.viewed_store import ViewedStore

_MOST_PARENTS = 20


@dataclass(frozen=True, slots=True)
class Family:
    """``parents`` begins with the oldest. ``is_cut`` says that the store has more sessions than were searched for forks."""

    parents: list[SessionSummary]
    forks: list[SessionSummary]
    searched: int
    is_cut: bool


def family_of(store: ViewedStore, id: str, parent_id: str | None, prefix: str) -> Family:
    """The parents by their ids, and the forks among the sessions with this prefix."""
    parents: list[SessionSummary] = []
    seen = {id}
    while parent_id is not None and parent_id not in seen and len(parents) < _MOST_PARENTS:
        seen.add(parent_id)
        parent = store.summary(parent_id)
        parents.append(parent)
        parent_id = parent.parent_id
    every, is_cut = read_summaries(store, prefix)
    forks = [summary for summary in every if summary.parent_id == id and summary.id != id]
    return Family(parents[::-1], forks, len(every), is_cut)
