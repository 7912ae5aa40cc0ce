"""Saves and loads of a session, or the same work by plain json, for a count of instructions.

Arguments: ``ours``, ``ours-without-summaries``, ``ours-encrypted`` or ``plain``; ``save``, ``load`` or ``nothing``; and a
number of calls.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Tasks = dict[str, Callable[[], object]]

_RECORDED = Path(__file__).parents[2] / "tests" / "fixtures" / "real"
_MESSAGES = 90


def document() -> dict[str, object]:
    """A session of recorded messages."""
    found = json.loads(min(_RECORDED.glob("*.json")).read_text())
    return {**found, "id": "s", "messages": (found["messages"] * _MESSAGES)[:_MESSAGES]}


def ours(**options: Any) -> Tasks:
    """The tasks by sessionbucket, in memory."""
    from sessionbucket import SessionData, open_store  # noqa: PLC0415 (plain json needs none)

    store = open_store("memory://", **options)
    session = SessionData.model_validate(document())
    store.save(session)
    store.load("s")
    return {"save": lambda: store.save(session), "load": lambda: store.load("s")}


def ours_without_summaries() -> Tasks:
    """The same, without the summary that each save puts into the metadata."""
    from sessionbucket._core.summary import Summarizer, no_entry  # noqa: PLC0415

    Summarizer.entry = lambda *_: no_entry  # type: ignore[method-assign]
    return ours()


def ours_encrypted() -> Tasks:
    """The same tasks, encrypted."""
    from sessionbucket import Keyring  # noqa: PLC0415

    return ours(encryption=Keyring({"k": bytes(32)}, primary="k"))


def plain() -> Tasks:
    """The least that any program does: the text, and its MD5 for the version."""
    saved = document()
    body = json.dumps(saved).encode()
    return {
        "save": lambda: hashlib.md5(json.dumps(saved).encode(), usedforsecurity=False).hexdigest(),
        "load": lambda: json.loads(body),
    }


KINDS = {
    "ours": ours,
    "ours-without-summaries": ours_without_summaries,
    "ours-encrypted": ours_encrypted,
    "plain": plain,
}
tasks = KINDS[sys.argv[1]]() | {"nothing": lambda: None}
for _ in range(int(sys.argv[3])):
    tasks[sys.argv[2]]()
