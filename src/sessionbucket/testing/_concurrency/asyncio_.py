"""The async side: tasks of one event loop."""

from __future__ import annotations

import asyncio
from asyncio import Event
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["Event", "at_once", "came"]


async def at_once(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    """What each call gave or raised, in their order."""
    return await asyncio.gather(*(call() for call in calls), return_exceptions=True)


async def came(event: Event, seconds: float) -> bool:
    """Wait for the event, and tell whether it came in time."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
