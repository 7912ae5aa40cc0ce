"""Charts as numbers that a template draws as SVG, without any script or inline style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sessionbucket import SessionSummary

_MOST_DAYS = 60
_MOST_BARS = 12
_OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Sum:
    """The sessions of one day, model or owner."""

    label: str
    sessions: int = 0
    messages: int = 0
    tokens: int = 0
    cost: float = 0.0

    def plus(self, summary: SessionSummary) -> Sum:
        """The sum with one more session."""
        return Sum(
            self.label,
            self.sessions + 1,
            self.messages + summary.messages,
            self.tokens + summary.tokens,
            self.cost + summary.cost,
        )

    def joined(self, other: Sum) -> Sum:
        """Both sums as one."""
        return Sum(
            self.label,
            self.sessions + other.sessions,
            self.messages + other.messages,
            self.tokens + other.tokens,
            self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """Everything that the page on usage shows. ``days`` is without gaps, the others begin with the most expensive."""

    total: Sum
    days: list[Sum]
    models: list[Sum]
    owners: list[Sum]
    unreadable: int


def usage_of(summaries: Sequence[SessionSummary]) -> Usage:
    """The sums of these sessions by the day of their last update, by model and by owner."""
    total = Sum("total")
    days: dict[str, Sum] = {}
    models: dict[str, Sum] = {}
    owners: dict[str, Sum] = {}
    readable = [summary for summary in summaries if summary.problem is None]
    for summary in readable:
        total = total.plus(summary)
        day = _day(summary.updated_at)
        for sums, label in ((days, day), (models, summary.model), (owners, summary.owner)):
            key = label or "unknown"
            sums[key] = sums.get(key, Sum(key)).plus(summary)
    return Usage(
        total, _without_gaps(days), _largest(models), _largest(owners), len(summaries) - len(readable)
    )


def _day(seconds: int | None) -> str | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _without_gaps(days: Mapping[str, Sum]) -> list[Sum]:
    """The last days, those without a session among them."""
    known = sorted(date.fromisoformat(day) for day in days if day != "unknown")
    if not known:
        return []
    last = known[-1]
    first = max(known[0], last - timedelta(days=_MOST_DAYS - 1))
    span = [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
    return [days.get(day, Sum(day)) for day in span]


def _largest(sums: Mapping[str, Sum]) -> list[Sum]:
    """The largest sums, and one of all others."""
    ordered = sorted(sums.values(), key=lambda each: (-each.cost, -each.tokens, -each.sessions, each.label))
    shown, rest = ordered[:_MOST_BARS], ordered[_MOST_BARS:]
    if rest:
        others = Sum(_OTHERS)
        for each in rest:
            others = others.joined(each)
        shown.append(others)
    return shown


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: its place and size in the units of the drawing, and what it says."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart with a column for each label, in a drawing of this size, with the value of its top line."""

    width: int
    height: int
    bars: list[Bar]
    top: str
    labelled: list[Bar]
    """The bars whose labels fit below the chart."""


def columns(values: Sequence[tuple[str, float, str]], top: str) -> Columns:
    """A column chart of labels, values and their texts. ``top`` is the text of the largest value."""
    width, height, gap = 720, 160, 0.25
    most = max((value for _, value, _ in values), default=0) or 1
    step = width / max(len(values), 1)
    bars = [
        Bar(
            round(number * step + step * gap / 2, 2),
            round(height - height * value / most, 2),
            round(step * (1 - gap), 2),
            round(height * value / most, 2),
            label,
            text,
        )
        for number, (label, value, text) in enumerate(values)
    ]
    every = max(1, -(-len(bars) // 8))
    return Columns(width, height, bars, top, bars[::every])


def share(value: float, most: float) -> float:
    """The length of a bar in percent of the longest one; visible for every value above 0."""
    return max(0.5, round(100 * value / most, 2)) if value > 0 and most > 0 else 0.0
