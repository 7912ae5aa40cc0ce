"""Sessions of the OpenAI Agents SDK: one log of the items of its Responses API."""

from __future__ import annotations

from typing import Any

from sessionbucket import AppendLog, DocumentStore
from sessionbucket.web.threads.parts import Json, Message, call, items, members, result, thinking, without
from sessionbucket.web.threads.sections import Steps, log_section, read_sections


def read_session(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    return read_sections([log_section(AppendLog(documents), id, message_of)], offset, limit)


def message_of(entry: Any) -> Message:
    """An item as a message. Calls of tools of the provider have no ``role`` and a type such as ``web_search_call``."""
    item = members(entry)
    kind = item.get("type")
    id = item.get("call_id") or item.get("id")
    if not item:
        return Message(entry)
    if isinstance(kind, str) and kind.endswith("_output"):
        return Message(
            {"role": "tool", "content": [result(id, item.get("output"), is_error=_has_failed(item))]}
        )
    if isinstance(kind, str) and kind.endswith("_call"):
        name = item.get("name") or kind.removesuffix("_call")
        arguments = (
            item["arguments"]
            if "arguments" in item
            else without(item, "type", "id", "call_id", "name", "status")
        )
        parts = [call(id, name, arguments)]
        if kind == "mcp_call" and (item.get("output") or item.get("error")):
            parts.append(
                result(id, item.get("error") or item.get("output"), is_error=bool(item.get("error")))
            )
        return Message({"role": "assistant", "content": parts})
    if kind == "reasoning":
        thoughts = [each for name in ("summary", "content") for each in items(item.get(name))]
        parts = [thinking(members(each).get("text")) for each in thoughts]
        return Message(
            {
                "role": "assistant",
                "content": parts,
                **without(item, "type", "id", "summary", "content", "status"),
            }
        )
    return Message(_without_success(item))


def _has_failed(item: Json) -> bool:
    return item.get("status") in ("failed", "incomplete")


def _without_success(item: Json) -> Json:
    return {name: value for name, value in item.items() if (name, value) != ("status", "completed")}
