"""Concurrency of the async side: tasks of one event loop."""

from __future__ import annotations

import asyncio
import inspect
from asyncio import Event
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["Event", "at_once", "awaited", "sleep", "wait_for"]

sleep = asyncio.sleep


async def at_once(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Run the calls concurrently, and return the result or error of each, in order."""
    return await asyncio.gather(*(call() for call in calls), return_exceptions=True)


async def awaited(value: Any) -> Any:
    """Return the value, awaited if it is awaitable."""
    return await value if inspect.isawaitable(value) else value


async def wait_for(event: Event, seconds: float) -> bool:
    """Wait for the event; return whether it came in time."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
