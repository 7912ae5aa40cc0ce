"""A process that acquires a lease many times, stops itself while it holds it, and writes down what it did.

Arguments: the store's URL, the number of acquisitions, the seconds by which the wall clock is wrong, the file to write to.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sessionbucket import LeaseLostError, SessionBucketError, SessionConflictError, open_store
from sessionbucket._core import leases

TTL = timedelta(seconds=0.8)
STOPS = 3
"""How often a process stops itself while it holds the lease, until the test continues it."""


class SkewedClock:
    """The clocks of a machine whose wall clock is wrong."""

    def __init__(self, skew: float) -> None:
        self._skew = skew
        self.monotonic = time.monotonic

    def time(self) -> float:
        return time.time() + self._skew


def saved_at(store: Any, deadline: float) -> float:
    """When the save that has just returned was accepted, or a later time before the deadline.

    The dates of most servers have whole seconds, and are never later than the change.
    """
    now = time.monotonic()
    if now <= deadline:
        return now
    [info] = store.iter_sessions()
    return float(info.updated_at.timestamp() - time.time() + time.monotonic())


def main(url: str, count: int, skew: float, ledger: str) -> None:
    leases.time = SkewedClock(skew)  # type: ignore[assignment]
    store = open_store(url)
    stops = {(number + 1) * count // (STOPS + 1) for number in range(STOPS)}
    with Path(ledger).open("w", buffering=1) as lines:
        for number in range(count):
            with store.lease("s", ttl=TTL, wait=timedelta(minutes=5)) as lease:
                acquired = time.monotonic()
                deadline = acquired + lease.remaining.total_seconds()
                session = store.load("s")
                assert session is not None
                session.tool_names = [f"{os.getpid()} {number}"]
                if number in stops:
                    os.kill(os.getpid(), signal.SIGSTOP)
                saved = 0.0
                try:
                    store.save(session, lease=lease)
                    saved = saved_at(store, deadline)
                except LeaseLostError:
                    pass
                except SessionConflictError:
                    saved = -1.0
                over = min(time.monotonic(), deadline)
            lines.write(f"{lease.token} {acquired} {over} {deadline} {saved}\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
    except SessionBucketError as error:
        sys.exit(str(error))
