"""Sessions of Strands Agents: those of the repository, and the documents of the storage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sessionbucket import AppendLog, DocumentInfo, DocumentStore, SessionCorruptedError
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
from sessionbucket.web.threads.sections import Range, Section, Steps, list_section, log_section, read_sections
from sessionbucket.web.transcript import Step

_REPOSITORY = "repository/"
_LATEST = "snapshot_latest.json"


def read_session(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    """The messages of each agent, and then every other document. Each agent and each latest snapshot costs one GET on every page."""
    if id.startswith(_REPOSITORY):
        return read_sections(_repository(documents, id), offset, limit)
    return read_sections(_storage(documents, id), offset, limit)


def _repository(documents: DocumentStore, id: str) -> Iterator[Section]:
    log = AppendLog(documents)
    for info in log.list(f"{id}/a/"):
        yield log_section(log, info.name, _message_of, lambda metadata: [_agent(metadata)])
    others = [*documents.list(f"{id}/", recursive=False), *documents.list(f"{id}/m/", recursive=False)]
    yield from (_document(documents, info, id) for info in others)


def _agent(metadata: Json) -> Step:
    agent = members(metadata.get("agent"))
    return Step("state", f"Agent {words(agent.get('agent_id'))}", [data_block("State", without(agent))])


def _storage(documents: DocumentStore, id: str) -> Iterator[Section]:
    found = [info for info in documents.list(id) if info.key == id or info.key.startswith(f"{id}/")]
    for info in sorted(found, key=lambda info: not info.key.endswith(_LATEST)):
        if info.key.endswith(_LATEST):
            yield _snapshot(documents, info, id)
        else:
            yield _document(documents, info, id)


def _snapshot(documents: DocumentStore, info: DocumentInfo, id: str) -> Section:
    """The messages of a snapshot."""
    found = _decoded(documents, info.key)
    data = members(members(found).get("data"))
    if isinstance(found, SessionCorruptedError) or not items(data.get("messages")):
        return list_section([found], lambda value: _whole(value, info, id))
    heading = f"Snapshot {info.key.removeprefix(id).strip('/')}"
    state = data_block("State", {**without(found, "data"), **without(data, "messages")})
    return list_section(data["messages"], _message_of, [Step("state", heading, [state], at=info.updated_at)])


def _document(documents: DocumentStore, info: DocumentInfo, id: str) -> Section:
    """A document, which is read only for a page that has it."""

    def read(start: int, stop: int) -> Range:
        return Range([_decoded(documents, info.key)] if start == 0 < stop else [], 1)

    return Section(read, lambda value: _whole(value, info, id))


def _whole(value: Any, info: DocumentInfo, id: str) -> Message:
    shown = {
        "role": "document",
        "content": data_block("", value).json,
        "timestamp": info.updated_at.isoformat(),
    }
    return Message(shown, heading=info.key.removeprefix(id).strip("/") or info.key)


def _decoded(documents: DocumentStore, key: str) -> Any:
    """The JSON in a document, the size of another one, or the error of one that is missing."""
    found = documents.get(key)
    if found is None:
        return SessionCorruptedError(documents.full_key(key), "it was deleted meanwhile")
    try:
        return json.loads(found.body)
    except (ValueError, RecursionError):
        if key.endswith(".json"):
            return SessionCorruptedError(documents.full_key(key), "it is not JSON")
        return {"bytes": len(found.body)}


def _message_of(entry: Any) -> Message:
    row = members(entry)
    message = members(row.get("message")) or row
    if "content" not in message:
        return Message(entry)
    metadata = members(message.get("metadata"))
    latency = members(metadata.get("metrics")).get("latencyMs")
    shown = {
        **without(message, "content", "metadata", "tracking_id"),
        "content": [_part(each) for each in items(message["content"])],
        "usage": metadata.get("usage"),
        "timestamp": row.get("created_at"),
    }
    if row.get("redact_message"):
        shown["redacted"] = True
    return Message(shown, [("latency", f"{latency:,} ms")] if isinstance(latency, int) else [])


def _part(value: Any) -> Any:
    """A content block of Bedrock's Converse API."""
    match value:
        case {"text": str(said)}:
            return text(said)
        case {"reasoningContent": {"reasoningText": {"text": str(said)}}}:
            return thinking(said)
        case {"toolUse": {"toolUseId": id, "name": name, **rest}}:
            return call(id, name, rest.get("input"))
        case {"toolResult": {"toolUseId": id, **rest}}:
            parts = [_part(each) for each in items(rest.get("content"))]
            return result(id, parts, is_error=rest.get("status") == "error")
        case {"image": {"format": str(kind), "source": {"bytes": data}}}:
            return image(f"image/{kind}", members(data).get("data", data))
    return value
