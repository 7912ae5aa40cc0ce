"""Concurrency of the sync side: one thread for each call."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

__all__ = ["Event", "at_once", "awaited", "sleep", "wait_for"]

sleep = time.sleep


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls concurrently, and return the result or error of each, in order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return call()
        except Exception as error:  # noqa: BLE001 (returned to the caller)
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def awaited(value: Any) -> Any:
    """Return the value."""
    return value


def wait_for(event: Event, seconds: float) -> bool:
    """Wait for the event; return whether it came in time."""
    return event.wait(seconds)
