"""The sync side: a thread for each call."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

__all__ = ["Event", "at_once", "came"]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call gave or raised, in their order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return call()
        except Exception as error:  # noqa: BLE001 (given to the caller)
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def came(event: Event, seconds: float) -> bool:
    """Wait for the event, and tell whether it came in time."""
    return event.wait(seconds)
