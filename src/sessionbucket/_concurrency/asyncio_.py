"""Concurrency of the async side: tasks of one event loop, and threads for blocking work."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import inspect
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Sequence,
)
from functools import cache
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar, cast

from sessionbucket._core.file_sources import FileSource, checked, iterate

_EXIT_PAUSE = 0.05  # seconds; the remaining work of the threads takes microseconds

P = ParamSpec("P")
T = TypeVar("T")

sleep = asyncio.sleep
closing = contextlib.aclosing

Items = Iterable[T] | AsyncIterable[T]
PendingCall = asyncio.Task

__all__ = [
    "FileSource",
    "Items",
    "PendingCall",
    "SingleFlight",
    "WorkerPool",
    "awaited",
    "chunks_of",
    "closing",
    "each",
    "gather",
    "in_thread",
    "sleep",
    "wait_for_threads_at_exit",
]


async def gather(calls: Sequence[Callable[[], Awaitable[T]]], *, limit: int | None = None) -> list[T]:
    """Run the calls concurrently, at most ``limit`` at a time, and return their results in order.

    Raises the first error, after all calls have ended.
    """
    slots = asyncio.Semaphore(limit or max(1, len(calls)))

    async def run(call: Callable[[], Awaitable[T]]) -> T:
        async with slots:
            return await call()

    results = await asyncio.gather(*(run(call) for call in calls), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)


class WorkerPool:
    """Concurrent calls, as tasks. When the block ends, calls that are not done are cancelled, and none remains."""

    def __init__(self, size: int) -> None:
        """``size`` is the most calls that the caller starts before it waits for one."""
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, call: Callable[[], Coroutine[Any, Any, T]]) -> PendingCall[T]:
        task = asyncio.create_task(call())
        self._tasks.add(task)
        task.add_done_callback(self._discard)
        return task

    async def gather(self, calls: Sequence[Callable[[], Coroutine[Any, Any, T]]]) -> list[T]:
        """Run the calls in this pool, and return their results in order. Raises the first error, after all calls have ended."""
        if len(calls) == 1:
            return [await calls[0]()]
        tasks = [self.start(call) for call in calls]
        if tasks:
            await asyncio.wait(tasks)
        return [task.result() for task in tasks]

    def _discard(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # asyncio logs an exception that nobody retrieves

    async def wait(self, calls: Collection[PendingCall[Any]]) -> None:
        """Wait until one of these calls is done."""
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)


class SingleFlight(Generic[T]):
    """A call that concurrent callers share: the first makes it, and the others get its result or error.

    When the first caller is cancelled, the next one makes the call. A caller of another event loop makes its own.
    """

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self._call = call
        self._outcome: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        loop = asyncio.get_running_loop()
        while (outcome := self._outcome) is not None and outcome.get_loop() is loop:
            await asyncio.wait([outcome])
            if not outcome.cancelled():
                return outcome.result()
        outcome = self._outcome = loop.create_future()
        try:
            result = await self._call()
        except Exception as error:
            outcome.set_exception(error)
            outcome.exception()  # asyncio logs an exception that nobody retrieves
            raise
        except BaseException:
            outcome.cancel()
            raise
        else:
            outcome.set_result(result)
            return result
        finally:
            self._outcome = None


async def each(items: Items[T]) -> AsyncGenerator[T, None]:
    """Yield the items one by one, each when the caller asks for it."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
        return
    for item in items:
        yield item


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work in a thread, without blocking the event loop.

    A cancelled call raises after the work has ended, so that the work has no effect after it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # asyncio logs an exception that nobody retrieves
        raise


async def awaited(value: T | Awaitable[T]) -> T:
    """Return the value, awaited if it is awaitable: a caller's function may be sync or async."""
    if inspect.isawaitable(value):
        return await value
    return value


async def chunks_of(data: FileSource) -> AsyncGenerator[bytes, None]:
    """Yield the data in chunks, without blocking the event loop."""
    if isinstance(data, AsyncIterable):
        async for chunk in data:
            yield checked(chunk)
        return
    chunks = iterate(data)
    while chunk := await in_thread(next, chunks, b""):
        yield chunk


@cache
def wait_for_threads_at_exit() -> None:
    """Make the process wait a moment at its exit, for a library with threads that are not Python's.

    Such a thread may still be returning the last result. If it requests the interpreter's lock during finalization,
    Python before 3.14 ends the thread, and a library in Rust then aborts the whole process.
    """
    atexit.register(time.sleep, _EXIT_PAUSE)
