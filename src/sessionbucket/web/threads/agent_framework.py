"""Agent Framework: sessions, histories of messages, and checkpoints of workflows."""

from __future__ import annotations

import json
from typing import Any

from sessionbucket import (
    AppendLog,
    Document,
    DocumentStore,
    InvalidArgumentError,
    SessionCorruptedError,
    decode_segment,
)
from sessionbucket.web.messages import moment
from sessionbucket.web.threads.parts import (
    Json,
    Message,
    call,
    data_block,
    items,
    members,
    result,
    text,
    thinking,
    without,
    words,
)
from sessionbucket.web.threads.sections import Steps, list_section, log_section, read_sections, unreadable
from sessionbucket.web.transcript import Block, Step

_PICKLED = "__pickled__"


def read_item(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    """A session, a history, a workflow or one checkpoint, by the folder in the id."""
    folder, _, name = id.partition("/")
    match folder:
        case "history":
            return read_sections([log_section(AppendLog(documents), id, _message_of)], offset, limit)
        case "workflows":
            return _workflow(documents, name, offset, limit)
        case "checkpoints":
            found = documents.get(f"{id}.json")
            return Steps([_checkpoint(documents, found, name)][offset:], 1) if found else None
        case "sessions":
            return _session(documents, id, offset, limit)
    raise InvalidArgumentError(f"id {id!r} is refused: it must be that of a row")


def _session(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    """The state of a session, and the messages that providers keep in it."""
    found = documents.get(f"{id}.json")
    if found is None:
        return None
    try:
        value = _decoded(documents, found)
    except SessionCorruptedError as error:
        return Steps([unreadable("Session", error)][offset:], 1)
    state = members(value.get("state"))
    histories = {name: items(members(each).get("messages")) for name, each in state.items()}
    kept = {name: without(each, "messages") if histories[name] else each for name, each in state.items()}
    shown = data_block("Session", {**without(value, "type"), "state": kept})
    before = [Step("state", "Session", [shown], at=found.updated_at)]
    messages = [list_section(history, _message_of) for history in histories.values()]
    return read_sections([list_section([], _message_of, before), *messages], offset, limit)


def _workflow(documents: DocumentStore, name: str, offset: int, limit: int) -> Steps | None:
    """The checkpoints of a workflow, oldest first: their rows are in the order of time, and have the ids."""
    rows = [info.key.rpartition("/")[2].partition("~")[2] for info in documents.list(f"workflows/{name}/")]
    rows.reverse()
    page = rows[offset : offset + limit]
    found = documents.get_many([f"checkpoints/{id}.json" for id in page])
    steps = [_checkpoint(documents, document, id) for id, document in zip(page, found, strict=True)]
    return Steps(steps, len(rows)) if rows else None


def _checkpoint(documents: DocumentStore, found: Document | None, name: str) -> Step:
    id = decode_segment(name) or name
    if found is None:
        return unreadable(f"Checkpoint {id}", "It was deleted, or its writer has not written it yet.")
    try:
        value = _opaque(_decoded(documents, found))
    except SessionCorruptedError as error:
        return unreadable(f"Checkpoint {id}", error)
    names = {"id": "checkpoint_id", "parent": "previous_checkpoint_id", "workflow": "workflow_name"}
    meta = [(label, words(value[member])) for label, member in names.items() if value.get(member)]
    labels = {"state": "State", "messages": "Messages", "pending_request_info_events": "Pending requests"}
    blocks: list[Block] = [
        data_block(label, value[member]) for member, label in labels.items() if value.get(member)
    ]
    usual = (*names.values(), *labels, "timestamp", "iteration_count", "graph_signature_hash", "version")
    if rest := without(value, *usual):
        blocks.append(data_block("Other members", rest))
    step = words(value.get("iteration_count"))
    return Step("checkpoint", f"Step {step}", blocks, meta, moment(value.get("timestamp")))


def _opaque(value: Any) -> Any:
    """A value in which what was pickled is named by its type and size. It is never restored."""
    if isinstance(value, list):
        return [_opaque(each) for each in value]
    if not isinstance(value, dict):
        return value
    if isinstance(pickled := value.get(_PICKLED), str):
        return (
            f"{words(value.get('__type__')) or 'an object'}, pickled in {len(pickled):,} characters of base64"
        )
    return {name: _opaque(each) for name, each in value.items()}


def _decoded(documents: DocumentStore, document: Document) -> Json:
    """The value of a document. Raises ``SessionCorruptedError``."""
    try:
        match json.loads(document.body):
            case {"format": 1, "value": dict(value)}:
                return value
    except (ValueError, RecursionError):
        pass
    raise SessionCorruptedError(documents.full_key(document.key), "it is no document of format 1")


def _message_of(entry: Any) -> Message:
    message = members(entry)
    if "contents" not in message:
        return Message(entry)
    contents = [members(each) for each in items(message["contents"])]
    usage = next((members(each.get("usage_details")) for each in contents if each.get("type") == "usage"), {})
    shown = {
        "role": words(message.get("role")),
        "content": [
            _part(each) for each in items(message["contents"]) if members(each).get("type") != "usage"
        ],
        "usage": {
            "input_tokens": usage.get("input_token_count"),
            "output_tokens": usage.get("output_token_count"),
        },
        **without(message, "contents", "type", "role", "author_name", "message_id"),
    }
    if any(each.get("type") == "error" for each in contents):
        shown["role"] = "error"
    author = words(message.get("author_name"))
    return Message(shown, [("author", author)] if author else [])


def _part(value: Any) -> Any:
    match value:
        case {"type": "text", "text": str(said)}:
            return text(said)
        case {"type": "text_reasoning", "text": str(thought)}:
            return thinking(thought)
        case {"type": "function_call", "call_id": id, "name": name, **rest}:
            return call(id, name, rest.get("arguments"))
        case {"type": "function_result", "call_id": id, **rest}:
            return result(id, rest.get("result"), is_error=bool(rest.get("exception")))
        case {"type": "error", **rest}:
            return text(": ".join(filter(None, (words(rest.get("error_code")), words(rest.get("message"))))))
        case {"type": "data", "uri": str(uri), "media_type": str(kind)} if kind.startswith("image/"):
            value = {"type": "image_url", "image_url": uri}
    return value
