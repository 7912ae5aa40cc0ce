"""Conversations of pydantic-ai: a log of messages, each of which names the one before it."""

from __future__ import annotations

from typing import Any

from sessionbucket import AppendLog, DocumentStore
from sessionbucket.web.threads.parts import (
    Json,
    Message,
    call,
    data_block,
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
from sessionbucket.web.transcript import Step

_USUAL = (
    "parts",
    "kind",
    "run_id",
    "conversation_id",
    "state",
    "usage",
    "timestamp",
    "model_name",
    "model_id",
    "finish_reason",
)


def read_conversation(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    """All messages, those of the branches that the conversation has left too."""
    section = log_section(AppendLog(documents), id, _Messages().message_of, _record)
    return read_sections([section], offset, limit)


def _record(metadata: Json) -> list[Step]:
    record = members(metadata.get("record"))
    return [Step("state", "Conversation", [data_block("Record", without(record))])] if record else []


class _Messages:
    """Makes a message of each entry, one after another: it shows where a branch begins, and instructions only when they change."""

    def __init__(self) -> None:
        self._previous: Any = None
        self._instructions: Any = None

    def message_of(self, entry: Any) -> Message:
        row = members(entry)
        message = members(row.get("message"))
        parent, previous = row.get("parent_id"), self._previous
        self._previous = row.get("id")
        if not message:
            return Message(entry)
        meta = [("branches off", words(parent))] if parent and previous and parent != previous else []
        if message.get("finish_reason") not in (None, "stop", "tool_call"):
            meta.append(("stop", words(message["finish_reason"])))
        shown = {
            "role": _role(message),
            "content": [part for each in items(message.get("parts")) for part in _parts(each)],
            "timestamp": message.get("timestamp"),
            "model": message.get("model_name"),
            "usage": message.get("usage"),
            **without(message, *_USUAL),
        }
        if "instructions" in shown:
            instructions = shown["instructions"]
            if instructions == self._instructions:
                del shown["instructions"]
            self._instructions = instructions
        return Message(shown, meta)


def _role(message: Json) -> str:
    kinds = {words(members(part).get("part_kind")) for part in items(message.get("parts"))}
    if message.get("kind") == "response":
        return "assistant"
    return "user" if "user-prompt" in kinds else "system" if kinds == {"system-prompt"} else "tool"


def _parts(value: Any) -> list[Any]:
    part = members(value)
    content, id = part.get("content"), part.get("tool_call_id")
    shown = [value]
    match part.get("part_kind"):
        case "text":
            shown = [text(content)]
        case "thinking":
            shown = [thinking(content)]
        case "system-prompt":
            shown = [{"type": "System prompt", "text": content}]
        case "user-prompt" | "file":
            shown = [_content(each) for each in (content if isinstance(content, list) else [content])]
        case "tool-call" | "builtin-tool-call":
            shown = [call(id, part.get("tool_name"), part.get("args"))]
        case "tool-return" | "builtin-tool-return" | "retry-prompt" if id:
            has_failed = part["part_kind"] == "retry-prompt" or part.get("outcome", "success") != "success"
            returned = [_content(each) for each in content] if isinstance(content, list) else content
            shown = [result(id, returned, is_error=has_failed)]
    return shown


def _content(value: Any) -> Any:
    item = members(value)
    if item.get("kind") == "binary" and words(item.get("media_type")).startswith("image/"):
        return image(item["media_type"], item.get("data"))
    if item.get("kind") == "text-content":
        return text(item.get("content"))
    return value
