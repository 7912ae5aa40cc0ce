"""Trace events: the tools and programs that an agent ran, and their results."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import Field

from sessionbucket.models._base import CheckedOnReadModel, is_empty, is_none, new_list, refusing
from sessionbucket.models._scalars import I32, U64

TRACE_EVENT_SCHEMA = "a3s.trace_event.v1"

_LONGEST_MS = 2**64 - 1
_PROGRAM_DETAILS = ("program_name", "success", "step_count", "failed_steps")


class TraceKind(StrEnum):
    """The kind of execution."""

    TOOL_EXECUTION = "tool_execution"
    PROGRAM_EXECUTION = "program_execution"


class TraceEvent(CheckedOnReadModel):
    """One execution of a tool or a program. ``details`` is any JSON value."""

    required_on_read: ClassVar = ("schema_id",)

    schema_id: str = Field(default=TRACE_EVENT_SCHEMA, alias="schema")
    kind: TraceKind
    name: str
    success: bool
    exit_code: I32
    duration_ms: U64
    output_bytes: U64
    metadata_keys: list[str] = Field(default_factory=new_list, exclude_if=is_empty)
    artifact_uris: list[str] = Field(default_factory=new_list, exclude_if=is_empty)
    details: Any = Field(default=None, exclude_if=is_none)

    @classmethod
    @refusing
    def tool_execution(
        cls,
        name: str,
        *,
        success: bool,
        exit_code: int,
        duration: timedelta | float,
        output_bytes: int,
        metadata: Any = None,
    ) -> Self:
        """The execution of a tool.

        ``duration`` is a ``timedelta`` or seconds, and is cut to whole milliseconds. ``metadata`` is the
        tool's own JSON. The event keeps its sorted top-level keys, and every string under a key
        ``artifact_uri`` at any depth, sorted and without repetitions.
        """
        return cls._execution(
            TraceKind.TOOL_EXECUTION, name, success, exit_code, duration, output_bytes, metadata, None
        )

    @classmethod
    @refusing
    def program_execution(
        cls,
        name: str,
        *,
        success: bool,
        exit_code: int,
        duration: timedelta | float,
        output_bytes: int,
        metadata: Any = None,
    ) -> Self:
        """The execution of a program: as ``tool_execution``, with a summary of ``metadata["trace"]`` as the details."""
        details = None
        if isinstance(metadata, dict) and "trace" in metadata:
            trace = metadata["trace"] if isinstance(metadata["trace"], dict) else {}
            details = {member: trace.get(member) for member in _PROGRAM_DETAILS}
        return cls._execution(
            TraceKind.PROGRAM_EXECUTION, name, success, exit_code, duration, output_bytes, metadata, details
        )

    @classmethod
    def _execution(  # noqa: PLR0917
        cls,
        kind: TraceKind,
        name: str,
        success: bool,
        exit_code: int,
        duration: timedelta | float,
        output_bytes: int,
        metadata: Any,
        details: Any,
    ) -> Self:
        return cls(
            kind=kind,
            name=name,
            success=success,
            exit_code=exit_code,
            duration_ms=min(_whole_milliseconds(duration), _LONGEST_MS),
            output_bytes=output_bytes,
            metadata_keys=sorted(metadata) if isinstance(metadata, dict) else [],
            artifact_uris=sorted(set(_artifact_uris(metadata))),
            details=details,
        )


def _whole_milliseconds(duration: timedelta | float) -> int:
    if isinstance(duration, timedelta):
        return duration // timedelta(milliseconds=1)
    return int(duration * 1000)


def _artifact_uris(metadata: Any) -> Iterator[str]:
    waiting = [metadata]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            uri = value.get("artifact_uri")
            if isinstance(uri, str):
                yield uri
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
