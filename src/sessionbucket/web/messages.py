"""Messages in the form of any provider, as the blocks that the pages show.

The forms are those of a3s-code, Anthropic, OpenAI (chat and responses), Gemini, Bedrock, LangChain and pydantic-ai. What none of them has
stays JSON. Ids of messages are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sessionbucket.web.transcript import (
    Block,
    DataBlock,
    ImageBlock,
    ResultPart,
    Step,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

_ROLES = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "response": "assistant",
    "developer": "system",
    "function": "tool",
}
_SHOWN = frozenset(
    {
        "role",
        "content",
        "parts",
        "reasoning_content",
        "reasoning",
        "tool_calls",
        "tool_call_id",
        "usage",
        "usage_metadata",
        "timestamp",
        "created_at",
        "type",
        "kind",
        "name",
        "id",
        "model",
        "model_name",
    }
)
"""The members of a message that its step shows in their own way. All others become one block of JSON."""
_SHOWN_BY_TYPE = {
    "function_call": frozenset({"call_id", "arguments", "status"}),
    "function_call_output": frozenset({"call_id", "output", "status"}),
    "reasoning": frozenset({"summary", "status"}),
    "tool": frozenset({"status"}),
}
_TEXT_TYPES = frozenset({"text", "input_text", "output_text", "refusal", "summary_text", "reasoning_text"})
_FEW_FIELDS = 6


@dataclass(slots=True)
class _Result:
    """The result of a tool call, until it is shown at its call."""

    call_id: str
    name: str
    parts: list[ResultPart]
    is_error: bool = False


@dataclass(slots=True)
class Turn:
    """A message that was read: its role and blocks, in which each result of a call stands until ``pair`` moves it to the call."""

    role: str
    blocks: list[Block | _Result]
    message: dict[str, Any]
    calls_in: list[int] = field(default_factory=list)
    """The numbers of the messages whose calls have their results in this one."""


def read_messages(messages: Sequence[Any], first: int = 1) -> list[Turn]:
    """The messages with each result at the call before it that has its id. Copies no text. ``first`` is the number of the first message."""
    turns = [_turn(message) for message in messages]
    waiting: dict[str, tuple[int, ToolCallBlock]] = {}
    for number, turn in enumerate(turns, start=first):
        kept: list[Block | _Result] = []
        for block in turn.blocks:
            if isinstance(block, ToolCallBlock):
                waiting[block.id] = number, block
            if isinstance(block, _Result):
                asked_in, call = waiting.pop(block.call_id, (-1, None))
                if call is None:
                    kept.append(ToolCallBlock(block.call_id, block.name, None, block.parts, block.is_error))
                else:
                    call.result, call.is_error = block.parts, block.is_error
                    turn.calls_in.append(asked_in)
            else:
                kept.append(block)
        turn.blocks = kept
    return turns


def step_of(turn: Turn, number: int, meta: Sequence[tuple[str, str]] = ()) -> Step:
    """The step of the message with this number, counted from 1."""
    message = turn.message
    blocks = [block for block in turn.blocks if not isinstance(block, _Result)]
    shown = _SHOWN | _SHOWN_BY_TYPE.get(_text(message.get("type")) or turn.role, frozenset())
    rest = {
        name: value for name, value in message.items() if name not in shown and value not in (None, [], {})
    }
    if rest:
        blocks.append(DataBlock("Other members", rest))
    heading = f"{number} · {turn.role.capitalize()}"
    if not blocks and turn.calls_in:
        where = ", ".join(map(str, sorted(set(turn.calls_in))))
        meta = [*meta, ("results at", f"message {where}")]
    at = moment(message.get("timestamp") or message.get("created_at"))
    return Step(turn.role, heading, blocks, [*meta, *_usage(message)], at)


def _turn(message: Any) -> Turn:
    if not isinstance(message, dict):
        return Turn("other", [DataBlock("Message", message)], {})
    if isinstance(data := message.get("data"), dict) and isinstance(kind := message.get("type"), str):
        message = {"role": kind, **data}  # LangChain's messages_to_dict
    blocks = list(_blocks_of(message))
    return Turn(_role(message, blocks), blocks, message)


def _role(message: dict[str, Any], blocks: list[Block | _Result]) -> str:
    for name in ("role", "kind", "type"):
        if isinstance(value := message.get(name), str):
            if value == "request":
                kinds = {_text(part.get("part_kind")) for part in _dicts(message.get("parts"))}
                return (
                    "user" if "user-prompt" in kinds else "system" if kinds == {"system-prompt"} else "tool"
                )
            if value.startswith(("function_call", "reasoning", "web_search", "file_search", "computer")):
                return "tool" if value.endswith("_output") else "assistant"
            role = _ROLES.get(value, value)
            only_results = bool(blocks) and all(isinstance(block, _Result) for block in blocks)
            return "tool" if role == "user" and only_results else role
    return "other"


def _blocks_of(message: dict[str, Any]) -> Iterator[Block | _Result]:
    for name in ("reasoning_content", "reasoning"):
        if isinstance(thought := message.get(name), str) and thought:
            yield ThinkingBlock(thought)
    if message.get("type") in ("function_call", "function_call_output", "reasoning"):
        yield from _response_item(message)
        return
    if isinstance(message.get("tool_call_id"), str) and "content" in message and "part_kind" not in message:
        yield _Result(
            message["tool_call_id"],
            _text(message.get("name")),
            _result_parts(message["content"]),
            is_error=message.get("status") == "error",
        )
    else:
        for name in ("content", "parts"):
            yield from _content(message.get(name))
    for call in _dicts(message.get("tool_calls")):
        yield _openai_call(call)


def _response_item(item: dict[str, Any]) -> Iterator[Block | _Result]:
    """An item of OpenAI's responses that is no message."""
    id = _text(item.get("call_id") or item.get("id"))
    if item["type"] == "function_call":
        yield ToolCallBlock(id, _text(item.get("name")), parsed(item.get("arguments")))
    elif item["type"] == "function_call_output":
        yield _Result(id, "", _result_parts(item.get("output")))
    else:
        for name in ("summary", "content"):
            for part in _dicts(item.get(name)):
                yield ThinkingBlock(_text(part.get("text")))


def _content(content: Any) -> Iterator[Block | _Result]:
    if isinstance(content, str):
        if content:
            yield TextBlock(content)
    elif isinstance(content, list):
        for item in content:
            yield from _content(item) if isinstance(item, str) else _item(item)
    elif content is not None:
        yield from _item(content)


def _item(item: Any) -> Iterator[Block | _Result]:  # noqa: C901 (one branch for each form of a provider)
    if not isinstance(item, dict):
        yield DataBlock("Content", item)
        return
    kind = item.get("type") or item.get("part_kind")
    match kind:
        case str() if kind in _TEXT_TYPES and isinstance(text := item.get("text", item.get("refusal")), str):
            yield TextBlock(text)
        case "thinking" if isinstance(text := item.get("thinking", item.get("content")), str):
            yield ThinkingBlock(text)
        case "tool_use" | "server_tool_use":
            yield ToolCallBlock(_text(item.get("id")), _text(item.get("name")), item.get("input"))
        case "tool_result":
            yield _Result(
                _text(item.get("tool_use_id")),
                "",
                _result_parts(item.get("content")),
                bool(item.get("is_error")),
            )
        case "tool-call":
            yield ToolCallBlock(
                _text(item.get("tool_call_id")), _text(item.get("tool_name")), parsed(item.get("args"))
            )
        case "tool-return" | "retry-prompt" if item.get("tool_call_id"):
            yield _Result(
                _text(item["tool_call_id"]),
                _text(item.get("tool_name")),
                _result_parts(item.get("content")),
                is_error=kind == "retry-prompt",
            )
        case "user-prompt" | "system-prompt":
            yield from _content(item.get("content"))
        case "text" if isinstance(item.get("content"), str):  # pydantic-ai
            yield TextBlock(item["content"])
        case None if isinstance(text := item.get("text"), str):  # Gemini, Bedrock
            yield ThinkingBlock(text) if item.get("thought") else TextBlock(text)
        case _:
            yield _image(item) or _nested(item) or DataBlock(_text(kind) or "Content", item)


def _nested(item: dict[str, Any]) -> Block | _Result | None:  # noqa: PLR0911 (one return for each form)
    """A part of Gemini or Bedrock: one member names the kind, its value has the rest."""
    if len(item) > _FEW_FIELDS:
        return None
    for name, value in item.items():
        if not isinstance(value, dict):
            continue
        match name:
            case "functionCall" | "function_call":
                return ToolCallBlock(
                    _text(value.get("id") or value.get("name")), _text(value.get("name")), value.get("args")
                )
            case "functionResponse" | "function_response":
                id = _text(value.get("id") or value.get("name"))
                return _Result(id, _text(value.get("name")), _result_parts(value.get("response")))
            case "toolUse":
                return ToolCallBlock(
                    _text(value.get("toolUseId")), _text(value.get("name")), value.get("input")
                )
            case "toolResult":
                parts = _result_parts(value.get("content"))
                return _Result(_text(value.get("toolUseId")), "", parts, value.get("status") == "error")
            case "reasoningContent" if isinstance(value.get("reasoningText"), dict):
                return ThinkingBlock(_text(value["reasoningText"].get("text")))
    return None


def _image(item: dict[str, Any]) -> ImageBlock | None:
    """The image in a part of any provider; None for a part with another content, or with the URL of another host."""
    source = item.get("source")
    if item.get("type") == "image" and isinstance(source, dict) and isinstance(source.get("data"), str):
        return ImageBlock(_text(source.get("media_type")), source["data"])
    for name in ("inlineData", "inline_data"):
        if isinstance(value := item.get(name), dict) and isinstance(value.get("data"), str):
            return ImageBlock(_text(value.get("mimeType") or value.get("mime_type")), value["data"])
    if isinstance(value := item.get("image"), dict) and isinstance(bytes_of := value.get("source"), dict):
        return ImageBlock(f"image/{_text(value.get('format'))}", _text(bytes_of.get("bytes")))
    if item.get("kind") == "binary" and isinstance(item.get("data"), str):
        return ImageBlock(_text(item.get("media_type")), item["data"])
    url = item.get("image_url")
    url = url.get("url") if isinstance(url, dict) else url
    if isinstance(url, str) and url.startswith("data:image/") and ";base64," in url:
        media_type, _, data = url.removeprefix("data:").partition(";base64,")
        return ImageBlock(media_type, data)
    return None


def _openai_call(call: dict[str, Any]) -> ToolCallBlock:
    function = call.get("function")
    named = function if isinstance(function, dict) else call
    return ToolCallBlock(
        _text(call.get("id")), _text(named.get("name")), parsed(named.get("arguments", named.get("args")))
    )


def _result_parts(content: Any) -> list[ResultPart]:
    """The content of a result: text, a list of parts, or any JSON value."""
    if isinstance(content, str):
        return [TextBlock(content)]
    if not isinstance(content, list):
        return [] if content is None else [DataBlock("Result", content)]
    parts: list[ResultPart] = []
    for item in content:
        if isinstance(item, dict) and set(item) == {"json"}:  # Bedrock
            parts.append(DataBlock("Result", item["json"]))
            continue
        for block in _content(item) if isinstance(item, str) else _item(item):
            if isinstance(block, TextBlock | ImageBlock | DataBlock):
                parts.append(block)
            else:
                parts.append(DataBlock("Result", item))
    return parts


def parsed(arguments: Any) -> Any:
    """The arguments of a call, which some providers and frameworks keep as the text of JSON."""
    try:
        return json.loads(arguments) if isinstance(arguments, str) else arguments
    except (ValueError, RecursionError):
        return arguments


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_TOKEN_NAMES = {
    "in": ("input_tokens", "prompt_tokens", "promptTokenCount", "inputTokens"),
    "out": ("output_tokens", "completion_tokens", "candidatesTokenCount", "outputTokens"),
}


def _usage(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    usage = message.get("usage") or message.get("usage_metadata") or {}
    if isinstance(name := message.get("name"), str) and message.get("role") in {
        "user",
        "assistant",
        "system",
    }:
        yield "name", name
    if isinstance(model := message.get("model") or message.get("model_name"), str):
        yield "model", model
    if not isinstance(usage, dict):
        return
    for label, names in _TOKEN_NAMES.items():
        for name in names:
            if type(tokens := usage.get(name)) is int:
                yield f"tokens {label}", f"{tokens:,}"
                break
    for name in ("cost", "cost_usd"):
        if isinstance(cost := usage.get(name), int | float):
            yield "cost", f"${cost:,.4f}"


def moment(value: Any) -> datetime | None:
    """The time in a number of seconds or a text; None for anything else."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
