"""The tables and their columns. A change of any column needs a new ``SCHEMA_VERSION``, and rewrites every part at its next export."""

from __future__ import annotations

from typing import Literal, NamedTuple

SCHEMA_VERSION = 1

Kind = Literal["string", "strings", "int", "float", "bool", "time"]


class Column(NamedTuple):
    """A column of a table. Every column may be null.

    ``kind`` is ``string``, ``strings`` (a list of them), ``int`` (64 bits with a sign; a greater number becomes the greatest), ``float``
    (64 bits), ``bool``, or ``time`` (microseconds, UTC). ``is_text`` marks the columns that are null in an export without text.
    """

    name: str
    kind: Kind
    meaning: str
    is_text: bool = False


_SESSION = Column("session_id", "string", "the session")

TABLES: dict[str, tuple[Column, ...]] = {
    "sessions": (
        _SESSION,
        Column(
            "title", "string", "its name, or its first text of a user, at most 80 characters", is_text=True
        ),
        Column("owner", "string", "its `principal`"),
        Column("tenant", "string", "its `tenant_id`"),
        Column("tags", "strings", "its tags"),
        Column("state", "string", "`Active`, `Paused`, `Completed`, `Error` or `Unknown`"),
        Column("model", "string", "the model that it uses"),
        Column("created_at", "time", "when it began"),
        Column("updated_at", "time", "when it was last touched"),
        Column("messages", "int", "how many messages it has"),
        Column("tool_calls", "int", "how many tool calls its messages have"),
        Column("prompt_tokens", "int", "tokens of all requests"),
        Column("completion_tokens", "int", "tokens of all responses"),
        Column("cache_read_tokens", "int", "tokens read from the provider's cache"),
        Column("cache_write_tokens", "int", "tokens written to it"),
        Column("total_tokens", "int", "the total, as stored"),
        Column("cost_usd", "float", "its cost in US dollars"),
        Column("parent_id", "string", "the session that it is a part or a fork of"),
        Column("size", "int", "bytes of its JSON"),
    ),
    "messages": (
        _SESSION,
        Column("position", "int", "the place in the session, from 0"),
        Column("role", "string", "`user`, `assistant`, or as stored"),
        Column("text", "string", "its text blocks, joined by newlines", is_text=True),
        Column("reasoning", "string", "the model's reasoning", is_text=True),
        Column("characters", "int", "the length of the text"),
        Column("images", "int", "how many images it has"),
        Column("tool_calls", "int", "how many tool calls it has"),
        Column("tool_results", "int", "how many results of tools it has"),
        Column("json", "string", "the message of another model than `SessionData`, as JSON", is_text=True),
    ),
    "tool_calls": (
        _SESSION,
        Column("position", "int", "the place among the session's calls, from 0"),
        Column("message", "int", "the position of the message with the call; null when that is missing"),
        Column("call_id", "string", "the id that joins call and result"),
        Column("name", "string", "the tool"),
        Column("arguments", "string", "what it was called with, as JSON", is_text=True),
        Column("result_message", "int", "the position of the message with the result; null without one"),
        Column("result", "string", "the text of the result", is_text=True),
        Column("result_characters", "int", "the length of that text"),
        Column("is_error", "bool", "whether the tool failed; null when that is not stored"),
    ),
    "costs": (
        _SESSION,
        Column("position", "int", "the place among the session's cost records, from 0"),
        Column("recorded_at", "time", "when the request was recorded"),
        Column("model", "string", "the model"),
        Column("provider", "string", "its provider"),
        Column("prompt_tokens", "int", "tokens of the request"),
        Column("completion_tokens", "int", "tokens of the response"),
        Column("total_tokens", "int", "the total, as stored"),
        Column("cost_usd", "float", "US dollars; null when the price is unknown"),
    ),
    "trace_events": (
        _SESSION,
        Column("position", "int", "the place among the session's events, from 0"),
        Column("kind", "string", "`tool_execution` or `program_execution`"),
        Column("name", "string", "the tool or program"),
        Column("success", "bool", "whether it succeeded"),
        Column("exit_code", "int", "its exit code"),
        Column("duration_ms", "int", "milliseconds"),
        Column("output_bytes", "int", "bytes of its output"),
        Column("metadata_keys", "strings", "the names in its metadata", is_text=True),
        Column("artifact_uris", "strings", "the artifacts that it made", is_text=True),
        Column("details", "string", "further details, as JSON", is_text=True),
    ),
}
