"""The path of a value in a document, as text: ``messages[3].content[0].input.score``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[str | int, ...]

_LONGEST_NAME = 80


def path_text(path: Path) -> str:
    """``path`` for a message; a very long name is cut."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step.encode("utf-8", "replace").decode()
            text += ("." if text else "") + (
                name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
            )
    return text


def at(path: Path, reason: str) -> str:
    """``reason`` after its path, if there is one."""
    return f"{path_text(path)}: {reason}" if path else reason


def find(tree: Any, matches: Callable[[Any], bool]) -> Path | None:
    """The path of the first value in document order that ``matches``, or None when there is no such value.

    Names of members are tested, too; one that matches has the path of its member.
    """
    return next((path for path, value in _walk(tree) if matches(value)), None)


def _walk(tree: Any) -> Iterator[tuple[Path, Any]]:
    waiting: list[tuple[Path, Any]] = [((), tree)]
    seen: set[int] = set()
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, (dict, list, tuple)):
            if id(value) in seen:
                continue
            seen.add(id(value))
        yield path, value
        if isinstance(value, dict):
            for name in value:
                yield (*path, str(name)), name
            waiting.extend(((*path, str(name)), member) for name, member in reversed(value.items()))
        elif isinstance(value, (list, tuple)):
            waiting.extend(((*path, index), item) for index, item in reversed(list(enumerate(value))))


def nesting(tree: Any) -> int:
    """The number of arrays and objects inside each other at the deepest place of a JSON tree."""
    depth = 0
    level = [tree] if isinstance(tree, (dict, list)) else []
    while level:
        depth += 1
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (dict, list))
        ]
    return depth
