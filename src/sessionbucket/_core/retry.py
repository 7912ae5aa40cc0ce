"""How long a call goes on trying, and how long it waits in between."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

_BASE = 0.02
_CAP = 1.0
_SPREAD = 4
_LONGEST_TURN = 8.0


def delay(attempt: int) -> float:
    """Seconds to wait after the ``attempt``-th failed try (1 for the first): exponential with full jitter.

    The jitter keeps writers that met once from meeting again (Brooker, "Exponential Backoff And Jitter", AWS, 2015).
    """
    return random.uniform(0, min(_CAP, _BASE * 2**attempt))  # noqa: S311 (no secret)


def turn(attempt: int, begun: float) -> float:
    """Seconds to wait after the ``attempt``-th try, begun at this ``time.monotonic``, was overtaken by another writer.

    What counts is how long a try takes, since another writer's success within that time ends it: spread over some eight
    times as much, most of 32 writers who met get in with their second try, and two who met have not long to wait.
    """
    took = time.monotonic() - begun
    return random.uniform(0, min(_LONGEST_TURN, _SPREAD * took * 2**attempt))  # noqa: S311 (no secret)


@dataclass(frozen=True, slots=True)
class Patience:
    """At most ``attempts`` tries of a request, none of them begun later than ``seconds`` after the first."""

    attempts: int = 1
    seconds: float = 0.0

    def begin(self) -> Tries:
        """Begin the first try."""
        return Tries(self)


ONCE = Patience()


class Tries:
    """The tries of one call."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._begun = time.monotonic()
        self._done = 1
        self._pause = delay(1)

    def allows_another(self) -> bool:
        """Whether one more may be begun after the pause."""
        waited = time.monotonic() - self._begun + self._pause
        return self._done < self._patience.attempts and waited <= self._patience.seconds

    def pause(self) -> float:
        """Count one more try, and give the seconds to wait before it."""
        pause = self._pause
        self._done += 1
        self._pause = delay(self._done)
        return pause
