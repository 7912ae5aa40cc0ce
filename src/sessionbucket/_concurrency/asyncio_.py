"""The async side: coroutines and threads."""

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

_MOMENT = 0.05  # seconds; what the threads have left to do takes microseconds

P = ParamSpec("P")
T = TypeVar("T")

sleep = asyncio.sleep
closing = contextlib.aclosing

Items = Iterable[T] | AsyncIterable[T]
Call = asyncio.Task

__all__ = [
    "Call",
    "Crew",
    "FileSource",
    "Items",
    "Shared",
    "chunks_of",
    "closing",
    "each",
    "gather",
    "in_thread",
    "let_threads_end_at_exit",
    "settled",
    "sleep",
]


async def gather(calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Make the calls at the same time, and give their results in order.

    The first error is raised, after all have ended.
    """
    results = await asyncio.gather(*(call() for call in calls), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)


class Crew:
    """Calls under way at the same time, as tasks. None is left when the block ends: those that are not done are cancelled."""

    def __init__(self, size: int) -> None:
        """``size`` is the most that the caller starts before it has waited for one."""
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, call: Callable[[], Coroutine[Any, Any, T]]) -> Call[T]:
        task = asyncio.create_task(call())
        self._tasks.add(task)
        task.add_done_callback(self._note_done)
        return task

    def _note_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # else asyncio complains of one that nobody came to ask for

    async def wait(self, calls: Collection[Call[Any]]) -> None:
        """Wait until one of these is done."""
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)


class Shared(Generic[T]):
    """A call that all who want it at the same time make once: the first makes it, and the others get what it gave or raised.

    If the first is cancelled, the next makes it. A call of another event loop is nobody's here.
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
            outcome.exception()  # else asyncio complains of one that nobody came to ask for
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
    """The items, one by one as they are asked for."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
        return
    for item in items:
        yield item


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


@cache
def let_threads_end_at_exit() -> None:
    """Have the process wait a moment at its end, for the sake of a library with threads that are not Python's.

    Such a thread may still be handing back the last answer. If it asks for the interpreter's lock when that is being torn
    down, Python before 3.14 ends the thread, and a library in Rust then aborts the whole process.
    """
    atexit.register(time.sleep, _MOMENT)
