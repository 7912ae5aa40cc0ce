"""What a session used: tokens, context and money."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sessionbucket.models._base import CheckedOnReadModel, WireModel
from sessionbucket.models._numbers import F32, F64, U64
from sessionbucket.models._timestamps import UtcTimestamp


class TokenUsage(CheckedOnReadModel):
    """Tokens of a session's requests. The total is stored as given, not checked."""

    required_on_read: ClassVar = ("prompt_tokens", "completion_tokens", "total_tokens")

    prompt_tokens: U64 = 0
    completion_tokens: U64 = 0
    total_tokens: U64 = 0
    cache_read_tokens: U64 | None = None
    cache_write_tokens: U64 | None = None


class ContextUsage(CheckedOnReadModel):
    """How full the model's context is: tokens, a share between 0 and 1, and turns so far."""

    required_on_read: ClassVar = ("used_tokens", "max_tokens", "percent", "turns")

    used_tokens: U64 = 0
    max_tokens: U64 = 200_000
    percent: F32 = 0.0
    turns: U64 = 0


class LlmCostRecord(WireModel):
    """One priced request. ``cost_usd`` is in US dollars, none when the price is not known.

    ``timestamp`` is text in UTC, exact to the nanosecond; an aware ``datetime`` is accepted for it,
    and `timestamp_utc` gives one.
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
