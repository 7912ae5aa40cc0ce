"""The async side: coroutines and threads."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from typing import ParamSpec, TypeVar, cast

from sessionbucket.sources import FileSource, checked, iterate

P = ParamSpec("P")
T = TypeVar("T")

sleep = asyncio.sleep

__all__ = ["FileSource", "chunks_of", "gather", "in_thread", "settled", "sleep"]


async def gather(calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Make the calls at the same time, and give their results in order.

    The first error is raised, after all have ended.
    """
    results = await asyncio.gather(*(call() for call in calls), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)


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
