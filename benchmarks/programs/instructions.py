"""Saves and loads of a session, or the same work by plain json, for a count of instructions. Arguments: a task and a number of calls."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from sessionbucket import MemoryBucket, SessionData, SessionStore

_RECORDED = Path(__file__).parents[2] / "tests" / "fixtures" / "real"
_MESSAGES = 90


def session() -> SessionData:
    """A session of recorded messages, 50 kB."""
    taken = json.loads(min(_RECORDED.glob("*.json")).read_text())
    repeated = taken["messages"] * _MESSAGES
    return SessionData.model_validate({**taken, "id": "s", "messages": repeated[:_MESSAGES]})


store = SessionStore(MemoryBucket())
ours = session()
store.save(ours)
body = json.dumps(ours.model_dump(mode="json"), indent=2).encode()
document = json.loads(body)


def plain_save() -> None:
    """What every program that saves a session must do."""
    hashlib.md5(json.dumps(document).encode(), usedforsecurity=False).hexdigest()


TASKS: dict[str, Callable[[], object]] = {
    "save": lambda: store.save(ours),
    "load": lambda: store.load("s"),
    "plain save": plain_save,
    "plain load": lambda: json.loads(body),
}

task = TASKS[sys.argv[1]]
for _ in range(int(sys.argv[2])):
    task()
