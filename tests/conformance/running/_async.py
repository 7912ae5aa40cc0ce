"""Calls at once, as tasks of one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def at_once(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    """What each call gave or raised, in their order."""
    return await asyncio.gather(*(call() for call in calls), return_exceptions=True)
