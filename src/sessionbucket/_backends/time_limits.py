"""How long a request and the body of its response may take. A server that sends a byte now and then exceeds every timeout of one read."""

from __future__ import annotations

SLOWEST_TRANSFER = 64 * 1024
"""Bytes a second below which a transfer counts as stalled."""


def request_seconds(connect_timeout: float, read_timeout: float, *, sending: int = 0) -> float:
    """The most seconds from the start of a request with a body of this many bytes to the end of a small response."""
    return connect_timeout + read_timeout + sending / SLOWEST_TRANSFER


class TimeLimit:
    """The time in which the body of a response must arrive: the rest of the request's time, and a second more for each 64 KiB.

    Only the time of reads counts, because the caller of a stream may pause between two of them.
    """

    def __init__(self, seconds: float, *, spent: float) -> None:
        """``seconds`` are those of the request, of which ``spent`` passed before the body."""
        self._most = seconds
        self.left = seconds - spent

    def spend(self, seconds: float, received: int) -> None:
        """Count the seconds of a read, and the bytes that it received."""
        self.left = min(self._most, self.left + received / SLOWEST_TRANSFER - seconds)
