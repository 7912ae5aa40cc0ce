"""How often a request is retried, for how long, and the pauses in between."""

from __future__ import annotations

import random
import time
from typing import NamedTuple

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
_CONTENTION_SPREAD = 4
_LONGEST_CONTENTION_PAUSE = 8.0


def backoff_pause(failures: int) -> float:
    """Seconds to wait after the request has failed this many times: exponential backoff with full jitter.

    Jitter keeps clients that collided once from colliding again (Brooker, "Exponential Backoff And Jitter", AWS, 2015).
    """
    return random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**failures))  # noqa: S311 (no secret)


def contention_pause(conflicts: int, started: float) -> float:
    """Seconds to wait after this many conflicts, when the latest attempt started at this ``time.monotonic()``.

    The pause grows with the duration of an attempt, because any write of another client within that time ends it. Spread
    over about eight times the duration, most of 32 colliding writers succeed with their second attempt, and two
    writers do not wait long.
    """
    took = time.monotonic() - started
    spread = _CONTENTION_SPREAD * took * 2**conflicts
    return random.uniform(0, min(_LONGEST_CONTENTION_PAUSE, spread))  # noqa: S311 (no secret)


class RetryConfig(NamedTuple):
    """At most ``attempts`` attempts of a request; none starts later than ``seconds`` after the first."""

    attempts: int = 1
    seconds: float = 0.0


NO_RETRY = RetryConfig()


class Attempts:
    """The retry budget of one call, whose first attempt started at this ``time.monotonic()``."""

    def __init__(self, config: RetryConfig, started: float) -> None:
        self._config = config
        self._started = started
        self._made = 1

    def next_pause(self) -> float | None:
        """Count one more attempt, and give the seconds to wait before it. None when the budget is spent."""
        pause = backoff_pause(self._made)
        if self._made >= self._config.attempts:
            return None
        if time.monotonic() - self._started + pause > self._config.seconds:
            return None
        self._made += 1
        return pause
