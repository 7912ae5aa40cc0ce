"""Saves and loads of a session, or the same work by plain json, for a count of instructions.

Arguments: ``ours`` or ``plain``; ``save``, ``load`` or ``nothing``; and a number of calls.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

Tasks = dict[str, Callable[[], object]]

_RECORDED = Path(__file__).parents[2] / "tests" / "fixtures" / "real"
_MESSAGES = 90


def document() -> dict[str, object]:
    """A session of recorded messages."""
    found = json.loads(min(_RECORDED.glob("*.json")).read_text())
    return {**found, "id": "s", "messages": (found["messages"] * _MESSAGES)[:_MESSAGES]}


def ours() -> Tasks:
    """The tasks by sessionbucket, in memory."""
    from sessionbucket import MemoryBucket, SessionData, SessionStore  # noqa: PLC0415 (plain json needs none)

    store = SessionStore(MemoryBucket())
    session = SessionData.model_validate(document())
    store.save(session)
    store.load("s")
    return {"save": lambda: store.save(session), "load": lambda: store.load("s")}


def plain() -> Tasks:
    """The least that any program does: the text, and its MD5 for the version."""
    saved = document()
    body = json.dumps(saved).encode()
    return {
        "save": lambda: hashlib.md5(json.dumps(saved).encode(), usedforsecurity=False).hexdigest(),
        "load": lambda: json.loads(body),
    }


tasks = {"ours": ours, "plain": plain}[sys.argv[1]]() | {"nothing": lambda: None}
for _ in range(int(sys.argv[3])):
    tasks[sys.argv[2]]()
