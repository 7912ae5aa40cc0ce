"""How long to wait before the next try."""

from __future__ import annotations

import random

_BASE = 0.02
_CAP = 1.0


def delay(attempt: int) -> float:
    """Seconds to wait after the ``attempt``-th failed try (1 for the first): exponential with full jitter.

    The jitter keeps writers that met once from meeting again (Brooker, "Exponential Backoff And Jitter", AWS, 2015).
    """
    return random.uniform(0, min(_CAP, _BASE * 2**attempt))  # noqa: S311 (no secret)
