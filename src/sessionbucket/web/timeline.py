"""Trace events as bars that follow each other: an event has a duration and no start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessionbucket.models import TraceEvent

EVENTS = 500
"""The events of a page."""
_NARROWEST = 0.4


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """An event, and its bar in percent of the whole time."""

    number: int
    event: TraceEvent
    start: float
    width: float
    starts_at: str
    duration: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of events, and the sums of all."""

    rows: list[TimelineRow]
    total: str
    events: int
    failures: int
    page: int
    pages: int


def timeline(events: Sequence[TraceEvent], page: int) -> Timeline:
    """The page with this number, counted from 1."""
    whole = sum(event.duration_ms for event in events) or 1
    pages = max(1, -(-len(events) // EVENTS))
    page = min(max(page, 1), pages)
    rows: list[TimelineRow] = []
    start = 0
    for number, event in enumerate(events, start=1):
        if (page - 1) * EVENTS < number <= page * EVENTS:
            width = max(_NARROWEST, 100 * event.duration_ms / whole)
            left = min(100 * start / whole, 100 - width)
            rows.append(
                TimelineRow(
                    number,
                    event,
                    round(left, 3),
                    round(width, 3),
                    duration_text(start),
                    duration_text(event.duration_ms),
                )
            )
        start += event.duration_ms
    failures = sum(not event.success for event in events)
    return Timeline(rows, duration_text(start), len(events), failures, page, pages)


def duration_text(milliseconds: int) -> str:
    """A readable duration: ``340 ms``, ``2.4 s``, ``3 min 20 s``."""
    if milliseconds < 1000:  # noqa: PLR2004 (a second)
        return f"{milliseconds} ms"
    minutes, seconds = divmod(milliseconds / 1000, 60)
    return f"{int(minutes):,} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s"
