"""The usage of a session: tokens, context and money."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sessionbucket.models._base import CheckedOnReadModel, WireModel
from sessionbucket.models._scalars import F32, F64, U64, UtcTimestamp


class TokenUsage(CheckedOnReadModel):
    """The tokens of a session's requests. The total is stored as given, not checked."""

    required_on_read: ClassVar = ("prompt_tokens", "completion_tokens", "total_tokens")

    prompt_tokens: U64 = 0
    completion_tokens: U64 = 0
    total_tokens: U64 = 0
    cache_read_tokens: U64 | None = None
    cache_write_tokens: U64 | None = None


class ContextUsage(CheckedOnReadModel):
    """The usage of the model's context: tokens, a fraction between 0 and 1, and turns."""

    required_on_read: ClassVar = ("used_tokens", "max_tokens", "percent", "turns")

    used_tokens: U64 = 0
    max_tokens: U64 = 200_000
    percent: F32 = 0.0
    turns: U64 = 0


class LlmCostRecord(WireModel):
    """The cost of one request. ``cost_usd`` is in US dollars, or None when the price is unknown.

    ``timestamp`` is text in UTC, exact to the nanosecond. An aware ``datetime`` is accepted,
    and ``timestamp_utc`` returns one.
    """

    model: str
    provider: str
    prompt_tokens: U64
    completion_tokens: U64
    total_tokens: U64
    cost_usd: F64 | None = None
    timestamp: UtcTimestamp
    session_id: str | None = None

    @property
    def timestamp_utc(self) -> datetime:
        """The timestamp as an aware ``datetime``, cut to microseconds; a leap second counts as :59."""
        seconds, _, fraction = self.timestamp.removesuffix("Z").partition(".")
        if seconds.endswith(":60"):
            seconds = seconds.removesuffix("60") + "59"
        return datetime.fromisoformat(f"{seconds}.{fraction[:6] or '0'}+00:00")
