"""Tool calls and their results in the messages of a session, as JSON values.

A call is a block ``tool_use``, a member of ``tool_calls``, or an item ``function_call``: the forms of Anthropic, and of OpenAI's chat
completions and responses. Other forms are not recognised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

_Form = tuple[str, str, str, str]
"""The list of a message that has the items, or nothing for the message itself; the member and value that mark an item; its id."""

_CALLS: Sequence[_Form] = (
    ("content", "type", "tool_use", "id"),
    ("tool_calls", "type", "function", "id"),
    ("", "type", "function_call", "call_id"),
)
_RESULTS: Sequence[_Form] = (
    ("content", "type", "tool_result", "tool_use_id"),
    ("", "role", "tool", "tool_call_id"),
    ("", "type", "function_call_output", "call_id"),
)


def cut_tool_calls(messages: Sequence[Any], kept: int) -> list[str]:
    """The ids of the tool calls in the first ``kept`` messages whose result is in a later one."""
    calls = set(_ids(messages[:kept], _CALLS))
    done = set(_ids(messages[:kept], _RESULTS))
    later = _ids(messages[kept:], _RESULTS)
    return [id for id in dict.fromkeys(later) if id in calls - done]


def _ids(messages: Sequence[Any], forms: Sequence[_Form]) -> Iterator[str]:
    for message in messages:
        for inside, name, value, id in forms:
            found = message.get(inside) if inside and isinstance(message, dict) else [message]
            for item in found if isinstance(found, list) else ():
                if isinstance(item, dict) and item.get(name) == value and isinstance(item.get(id), str):
                    yield item[id]
