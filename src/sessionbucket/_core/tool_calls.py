"""Tool calls and their results in the messages of a session, as JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def cut_tool_calls(messages: Sequence[Any], kept: int) -> list[str]:
    """The ids of the tool calls in the first ``kept`` messages whose result is in a later one."""
    calls = set(_values(messages[:kept], "tool_use", "id"))
    done = set(_values(messages[:kept], "tool_result", "tool_use_id"))
    later = _values(messages[kept:], "tool_result", "tool_use_id")
    return [id for id in dict.fromkeys(later) if id in calls - done]


def _values(messages: Sequence[Any], type_: str, member: str) -> Iterator[str]:
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict) and block.get("type") == type_ and isinstance(block.get(member), str):
                yield block[member]
