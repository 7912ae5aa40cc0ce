"""Sessions of ADK, each a log of events, and the versions of its artifacts."""

from __future__ import annotations

import base64
from typing import Any

from sessionbucket import (
    AppendLog,
    Document,
    DocumentInfo,
    DocumentStore,
    InvalidArgumentError,
    SessionCorruptedError,
    decode_frame,
    decode_frame_header,
    decode_segment,
)
from sessionbucket.web.messages import moment
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
from sessionbucket.web.threads.sections import Steps, log_section, read_sections, unreadable
from sessionbucket.web.transcript import Block, ImageBlock, Step, TextBlock

_USUAL = (
    "content",
    "author",
    "timestamp",
    "usage_metadata",
    "actions",
    "id",
    "invocation_id",
    "node_info",
    "error_code",
    "error_message",
)
_HEADER_BYTES = 16 * 1024
_MOST_IMAGE_BYTES = 1024 * 1024
_SESSION_NAMES = 3


def read_session(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    app, user, session = _names(id, (_SESSION_NAMES,))
    section = log_section(AppendLog(documents), f"{app}/u/{user}/s/{session}", _message_of, _state)
    return read_sections([section], offset, limit)


def _names(id: str, counts: tuple[int, ...]) -> list[str]:
    names = id.split("/")
    if len(names) not in counts:
        raise InvalidArgumentError(f"id {id!r} is refused: it must be that of a row")
    return names


def _state(metadata: Json) -> list[Step]:
    return [Step("state", "State of the session", [data_block("State", without(metadata, "marker"))])]


def _message_of(entry: Any) -> Message:
    event = members(entry)
    if "author" not in event and "content" not in event:
        return Message(entry)
    author = words(event.get("author"))
    content = members(event.get("content"))
    parts = [_part(each) for each in items(content.get("parts"))]
    role = "user" if author == "user" else "model"
    if event.get("error_code") or event.get("error_message"):
        role = "error"
        parts.append(
            text(": ".join(filter(None, (words(event.get("error_code")), words(event.get("error_message"))))))
        )
    if parts and all(members(part).get("type") == "tool_result" for part in parts):
        role = "tool"
    usage = members(event.get("usage_metadata"))
    shown = {
        "role": role,
        "content": parts,
        "timestamp": event.get("timestamp"),
        "usage": {
            "input_tokens": usage.get("prompt_token_count"),
            "output_tokens": usage.get("candidates_token_count"),
        },
        **without(event, *_USUAL),
        **without({"actions": without(members(event.get("actions")))}),
    }
    return Message(shown, [("author", author)] if role != "user" else [])


def _part(value: Any) -> Any:
    match value:
        case {"text": str(said), "thought": True}:
            return thinking(said)
        case {"text": str(said)}:
            return text(said)
        case {"function_call": {"name": name, **rest}}:
            return call(rest.get("id") or name, name, rest.get("args"))
        case {"function_response": {"name": name, **rest}}:
            response = rest.get("response")
            return result(rest.get("id") or name, response, is_error=list(members(response)) == ["error"])
        case {"inline_data": {"mime_type": str(kind), "data": data}} if kind.startswith("image/"):
            return image(kind, data)
    return value


def read_artifacts(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    """The versions of each file, the newest first. Images up to 1 MiB are read whole, and of other files the first 16 KiB."""
    app, user, *session = _names(id, (_SESSION_NAMES - 1, _SESSION_NAMES))
    folder = f"{app}/{user}/s/{session[0]}/" if session else f"{app}/{user}/u/"
    rows: list[DocumentInfo] = []
    total = 0
    for info in documents.list(folder):
        if offset <= total < offset + limit:
            rows.append(info)
        total += 1
    heads = documents.get_many([info.key for info in rows], first=_HEADER_BYTES)
    steps = [_artifact(documents, info, head) for info, head in zip(rows, heads, strict=True)]
    return Steps(steps, total) if total else None


def _artifact(documents: DocumentStore, info: DocumentInfo, head: Document | None) -> Step:
    """The step of a version of a file."""
    name, key = _file_name(info.key), documents.full_key(info.key)
    if head is None:
        return unreadable(name, "It was deleted meanwhile.")
    try:
        header = decode_frame_header(head.body, key)
        if header is None:
            return Step(
                "document", name, [TextBlock("It has a description longer than 16 KiB.")], at=info.updated_at
            )
        part, version = members(header.get("part")), members(header.get("version"))
        kind = words(version.get("mime_type"))
        blocks: list[Block] = [TextBlock(part["text"])] if isinstance(part.get("text"), str) else []
        if kind.startswith("image/") and info.size <= _MOST_IMAGE_BYTES:
            whole = documents.get(info.key)
            data = decode_frame(whole.body, key).blobs.get("data", ("", b""))[1] if whole else b""
            blocks.append(ImageBlock(kind, base64.b64encode(data).decode()))
    except SessionCorruptedError as error:
        return unreadable(name, error)
    if custom := members(version.get("custom_metadata")):
        blocks.append(data_block("Metadata", custom))
    if reference := part.get("file_data"):
        blocks.append(data_block("Reference", reference))
    meta = [("version", words(version.get("version"))), ("type", kind), ("size", f"{info.size:,} bytes")]
    return Step(
        "document",
        words(header.get("filename")) or name,
        blocks,
        [each for each in meta if each[1]],
        moment(version.get("create_time")),
    )


def _file_name(key: str) -> str:
    segment = key.split("/")[-2]
    return decode_segment(segment) or segment
