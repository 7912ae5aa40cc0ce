"""The async side: coroutines and threads."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import ParamSpec, TypeVar

from sessionbucket.sources import FileSource, checked, iterate

P = ParamSpec("P")
T = TypeVar("T")

sleep = asyncio.sleep
Lock = asyncio.Lock

__all__ = ["FileSource", "Lock", "chunks_of", "in_thread", "settled", "sleep"]


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work without blocking the event loop."""
    return await asyncio.to_thread(work, *args, **kwargs)


async def settled(value: T | Awaitable[T]) -> T:
    """The value, awaited if it has to be: a caller's function may be sync or async."""
    if inspect.isawaitable(value):
        return await value
    return value


async def chunks_of(data: FileSource) -> AsyncGenerator[bytes, None]:
    """The data in chunks, without blocking the event loop."""
    if isinstance(data, AsyncIterable):
        async for chunk in data:
            yield checked(chunk)
        return
    chunks = iterate(data)
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk
