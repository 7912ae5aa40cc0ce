"""The rows of one session in every table. They are a pure function of its stored objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sessionbucket import summarize
from sessionbucket.export.messages import MessageFacts, facts_of, json_text, text_or_none
from sessionbucket.export.schemas import TABLES
from sessionbucket.models import LlmCostRecord, SessionData

Row = tuple[Any, ...]
Rows = dict[str, list[Row]]
"""Rows by table, each with its values in the order of the table's columns."""

Events = Sequence[Mapping[str, Any]]
"""Trace events as valid JSON objects."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""The seconds of the years 1 to 9999, which every reader of Parquet knows."""


def rows_of_session(session: SessionData, size: int, events: Events) -> Rows:
    """The rows of a ``SessionData`` of this many bytes with these trace events."""
    id, summary, usage = session.id, summarize(session), session.total_usage
    messages = [facts_of(message) for message in session.model_dump(include={"messages"})["messages"]]
    head = _row(
        "sessions",
        session_id=id,
        title=summary.title or None,
        owner=summary.owner,
        tenant=summary.tenant,
        tags=summary.tags,
        state=summary.state,
        model=summary.model,
        created_at=_time(summary.created_at),
        updated_at=_time(summary.updated_at),
        messages=len(messages),
        tool_calls=_calls_in(messages),
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        total_tokens=usage.total_tokens,
        cost_usd=session.total_cost,
        parent_id=summary.parent_id,
        size=size,
    )
    return {
        "sessions": [head],
        "messages": [_message(id, at, message, None) for at, message in enumerate(messages)],
        "tool_calls": _tool_calls(id, messages),
        "costs": [_cost(id, at, record) for at, record in enumerate(session.cost_records)],
        "trace_events": [_trace_event(id, at, event) for at, event in enumerate(events)],
    }


def rows_of_other(id: str, members: Mapping[str, Any], size: int, events: Events) -> Rows:
    """The rows of a session of any other model, a ``Conversation`` for instance: what its members show.

    ``title`` is a text, ``messages`` a list of objects, and ``usage`` an object with ``total_tokens``.
    """
    stored, usage = members.get("messages"), members.get("usage")
    has_messages = isinstance(stored, list)
    raw = [each for each in stored if isinstance(each, dict)] if isinstance(stored, list) else []
    messages = [facts_of(message) for message in raw]
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    head = _row(
        "sessions",
        session_id=id,
        title=text_or_none(members.get("title")),
        messages=len(raw) if has_messages else None,
        tool_calls=_calls_in(messages) if has_messages else None,
        total_tokens=tokens if type(tokens) is int else None,
        size=size,
    )
    return {
        "sessions": [head],
        "messages": [
            _message(id, at, facts, json_text(message))
            for at, (facts, message) in enumerate(zip(messages, raw, strict=True))
        ],
        "tool_calls": _tool_calls(id, messages),
        "costs": [],
        "trace_events": [_trace_event(id, at, event) for at, event in enumerate(events)],
    }


def _row(table: str, **values: Any) -> Row:
    return tuple(values.get(column.name) for column in TABLES[table])


def _calls_in(messages: Sequence[MessageFacts]) -> int:
    return sum(len(message.calls) for message in messages)


def _message(id: str, position: int, facts: MessageFacts, json: str | None) -> Row:
    text = "\n".join(facts.texts)
    return _row(
        "messages",
        session_id=id,
        position=position,
        role=facts.role,
        text=text or None,
        reasoning="\n".join(facts.reasonings) or None,
        characters=len(text),
        images=facts.images,
        tool_calls=len(facts.calls),
        tool_results=len(facts.results),
        json=json,
    )


def _tool_calls(id: str, messages: Sequence[MessageFacts]) -> list[Row]:
    """The calls of a session in order. Each has the first result of its id that no earlier call has.

    A result without a call is in a row of its own, in the place where a call would be.
    """
    found: list[dict[str, Any]] = []
    waiting: dict[str | None, list[dict[str, Any]]] = {}
    for at, message in enumerate(messages):
        for result in message.results:
            if calls := waiting.get(result.id):
                call = calls.pop(0)
            else:
                found.append(call := {"call_id": result.id})
            call |= {"result_message": at, "result": result.text, "is_error": result.is_error}
            call["result_characters"] = len(result.text)
        for made in message.calls:
            call = {"message": at, "call_id": made.id, "name": made.name, "arguments": made.arguments}
            found.append(call)
            waiting.setdefault(made.id, []).append(call)
    return [_row("tool_calls", session_id=id, position=at, **call) for at, call in enumerate(found)]


def _cost(id: str, position: int, record: LlmCostRecord) -> Row:
    return _row(
        "costs",
        session_id=id,
        position=position,
        recorded_at=record.timestamp_utc,
        model=record.model,
        provider=record.provider,
        prompt_tokens=record.prompt_tokens,
        completion_tokens=record.completion_tokens,
        total_tokens=record.total_tokens,
        cost_usd=record.cost_usd,
    )


def _trace_event(id: str, position: int, event: Mapping[str, Any]) -> Row:
    details = event.get("details")
    return _row(
        "trace_events",
        session_id=id,
        position=position,
        kind=event["kind"],
        name=event["name"],
        success=event["success"],
        exit_code=event["exit_code"],
        duration_ms=event["duration_ms"],
        output_bytes=event["output_bytes"],
        metadata_keys=event.get("metadata_keys", ()),
        artifact_uris=event.get("artifact_uris", ()),
        details=None if details is None else json_text(details),
    )


def _time(seconds: int | None) -> datetime | None:
    """Unix seconds as a time, or None outside the years of a calendar."""
    if seconds is None or not _FIRST <= seconds <= _LAST:
        return None
    return _EPOCH + timedelta(seconds=seconds)
