"""Sessions of the Claude Agent SDK: the log of a transcript, and those of its subagents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sessionbucket import AppendLog, DocumentStore
from sessionbucket.web.threads.parts import Json, Message, data_block, members, without, words
from sessionbucket.web.threads.sections import Section, Steps, log_section, read_sections
from sessionbucket.web.transcript import Step

_USUAL = (
    *("type", "message", "timestamp", "uuid", "parentUuid", "sessionId", "cwd", "version", "gitBranch"),
    *("userType", "isSidechain", "requestId"),
)
"""The members of an entry that its step does not repeat."""


def read_session(documents: DocumentStore, id: str, offset: int, limit: int) -> Steps | None:
    """The transcript, and then those of the subagents, each of which costs one GET also when the page has none of its entries."""
    return read_sections(_sections(documents, id), offset, limit)


def _sections(documents: DocumentStore, id: str) -> Iterator[Section]:
    project, _, session = id.partition("/")
    log = AppendLog(documents)
    yield log_section(log, f"{project}/s/{session}", _message_of, _summary)
    for info in log.list(f"{project}/a/{session}/"):
        yield log_section(log, info.name, _message_of, _subagent)


def _summary(metadata: Json) -> list[Step]:
    data = members(members(metadata.get("summary")).get("data"))
    return [Step("state", "Summary", [data_block("Summary", data)])] if data else []


def _subagent(metadata: Json) -> list[Step]:
    return [Step("state", f"Transcript of {words(members(metadata.get('key')).get('subpath'))}")]


def _message_of(entry: Any) -> Message:
    row = members(entry)
    message = members(row.get("message"))
    rest = without(row, *_USUAL)
    when = {"timestamp": row.get("timestamp")}
    if message:
        stop = message.get("stop_reason")
        meta = [("stop", words(stop))] if stop not in (None, "end_turn", "tool_use") else []
        kept = without(message, "stop_reason", "stop_sequence", "type")
        return Message({"role": words(row.get("type")), **kept, **when, **rest}, meta)
    if not row:
        return Message(entry)
    meta = [("kind", " / ".join(words(row[name]) for name in ("type", "subtype") if row.get(name)))]
    content = rest.pop("content", rest.pop("summary", None))
    rest.pop("subtype", None)
    return Message({"role": "system", "content": content, **when, **rest}, meta)
