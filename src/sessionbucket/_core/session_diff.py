"""The difference between two versions of a session, as JSON values."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from sessionbucket._core.results import SessionDiff

_MESSAGES = "messages"


def session_diff(id: str, before: dict[str, Any], after: dict[str, Any]) -> SessionDiff:
    """Compare two JSON objects of one session."""
    old, new = _messages(before), _messages(after)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    changed: dict[str, tuple[Any, Any]] = {}
    _compare("", before, after, changed)
    return SessionDiff(id, common, old[common:], new[common:], changed)


def _messages(document: dict[str, Any]) -> list[Any]:
    messages = document.get(_MESSAGES)
    return messages if isinstance(messages, list) else []


def _compare(
    path: str, before: dict[str, Any], after: dict[str, Any], changed: dict[str, tuple[Any, Any]]
) -> None:
    for name in sorted(before.keys() | after.keys()):
        if not path and name == _MESSAGES:
            continue
        one, two = before.get(name), after.get(name)
        at = f"{path}.{name}" if path else name
        if isinstance(one, dict) and isinstance(two, dict):
            _compare(at, one, two, changed)
        elif one != two:
            changed[at] = (one, two)
