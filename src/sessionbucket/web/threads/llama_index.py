"""Chats of LlamaIndex: a log of messages for each key."""

from __future__ import annotations

from typing import Any

from sessionbucket import AppendLog, DocumentStore
from sessionbucket.web.threads.parts import (
    Message,
    call,
    image,
    items,
    members,
    result,
    text,
    thinking,
    without,
    words,
)
from sessionbucket.web.threads.sections import Steps, log_section, read_sections


def read_chat(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    return read_sections([log_section(AppendLog(documents), id, _message_of)], offset, limit)


def _message_of(entry: Any) -> Message:
    message = members(entry)
    if "blocks" not in message:
        return Message(entry)
    more = members(message.get("additional_kwargs"))
    parts = [_part(each) for each in items(message["blocks"])]
    if more.get("tool_call_id"):
        parts = [result(more["tool_call_id"], parts, is_error=bool(more.get("is_error")))]
    called = any(members(part).get("type") == "tool_use" for part in parts)
    calls = [] if called else items(more.get("tool_calls"))
    shown = {
        "role": words(message.get("role")),
        "content": parts,
        "tool_calls": calls,
        **without({"additional_kwargs": without(more, "tool_call_id", "tool_calls", "is_error")}),
    }
    return Message(shown)


def _part(value: Any) -> Any:
    match value:
        case {"block_type": "text", "text": said}:
            return text(said)
        case {"block_type": "thinking", "content": said}:
            return thinking(said)
        case {"block_type": "tool_call", "tool_name": name, **rest}:
            return call(rest.get("tool_call_id"), name, rest.get("tool_kwargs"))
        case {"block_type": "image", "image": str(data), **rest}:
            return image(rest.get("image_mimetype") or "image/png", data)
    return value
