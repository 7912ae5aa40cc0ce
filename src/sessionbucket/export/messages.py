"""The text, tool calls and results in one JSON message, in the forms of a3s-code, Anthropic and OpenAI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_TEXTS = ("text", "input_text", "output_text")
_REASONINGS = ("thinking", "reasoning")
_IMAGES = ("image", "image_url", "input_image")


class ToolCall(NamedTuple):
    """A call of a tool. ``arguments`` is JSON."""

    id: str | None
    name: str | None
    arguments: str | None


class ToolResult(NamedTuple):
    """The result of a tool."""

    id: str | None
    text: str
    is_error: bool | None


@dataclass(slots=True)
class MessageFacts:
    """What tables show of a message."""

    role: str | None = None
    texts: list[str] = field(default_factory=list)
    reasonings: list[str] = field(default_factory=list)
    images: int = 0
    calls: list[ToolCall] = field(default_factory=list)
    results: list[ToolResult] = field(default_factory=list)


def facts_of(message: Mapping[str, Any]) -> MessageFacts:
    """The facts of a message. What has none of the known forms is left out."""
    found = MessageFacts(role=text_or_none(message.get("role")))
    reasoning = message.get("reasoning_content")
    if isinstance(reasoning, str):
        found.reasonings.append(reasoning)
    content = message.get("content")
    if message.get("role") == "tool":
        found.results.append(ToolResult(text_or_none(message.get("tool_call_id")), _text_in(content), None))
    elif isinstance(content, str):
        found.texts.append(content)
    else:
        for block in _objects(content):
            _add_block(found, block)
    for call in _objects(message.get("tool_calls")):
        function = call.get("function")
        if isinstance(function, dict):
            found.calls.append(_call(call.get("id"), function.get("name"), function.get("arguments")))
    if "role" not in message:
        _add_block(found, message)
    return found


def _add_block(found: MessageFacts, block: Mapping[str, Any]) -> None:
    kind = block.get("type")
    if kind in _TEXTS:
        _add_text(found.texts, block.get("text"))
    elif kind in _REASONINGS:
        _add_text(found.reasonings, block.get("thinking") or block.get("text"))
    elif kind in _IMAGES:
        found.images += 1
    elif kind == "tool_use":
        found.calls.append(_call(block.get("id"), block.get("name"), block.get("input")))
    elif kind == "function_call":
        found.calls.append(_call(block.get("call_id"), block.get("name"), block.get("arguments")))
    elif kind == "tool_result":
        is_error = block.get("is_error")
        text = _text_in(block.get("content"))
        found.results.append(
            ToolResult(
                text_or_none(block.get("tool_use_id")), text, is_error if isinstance(is_error, bool) else None
            )
        )
    elif kind == "function_call_output":
        found.results.append(
            ToolResult(text_or_none(block.get("call_id")), _text_in(block.get("output")), None)
        )


def _call(id: Any, name: Any, arguments: Any) -> ToolCall:
    """A call whose arguments are a JSON value, or already its text."""
    return ToolCall(
        text_or_none(id),
        text_or_none(name),
        arguments if isinstance(arguments, str) else json_text(arguments),
    )


def _text_in(content: Any) -> str:
    """A text, or the texts of its blocks joined by newlines."""
    if isinstance(content, str):
        return content
    texts = [block.get("text") for block in _objects(content)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _add_text(texts: list[str], text: Any) -> None:
    if isinstance(text, str):
        texts.append(text)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text_or_none(value: Any) -> str | None:
    """The value, if it is a text."""
    return value if isinstance(value, str) else None


def json_text(value: Any) -> str:
    """A JSON value as text, on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
