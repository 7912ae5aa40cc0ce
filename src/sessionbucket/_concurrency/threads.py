"""Concurrency of the sync side: plain calls, and threads for concurrent ones."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextvars import copy_context
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar

from sessionbucket._core.file_sources import SyncFileSource as FileSource
from sessionbucket._core.file_sources import iterate
from sessionbucket._core.forks import reset_after_fork

if TYPE_CHECKING:
    from concurrent.futures import Future

    PendingCall = Future

P = ParamSpec("P")
T = TypeVar("T")

sleep = time.sleep
closing = contextlib.closing

Items = Iterable[T]

__all__ = [
    "FileSource",
    "Items",
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


def gather(calls: Sequence[Callable[[], T]], *, limit: int | None = None) -> list[T]:
    """Run the calls concurrently, at most ``limit`` at a time, and return their results in order.

    Raises the first error, after all calls have ended.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (a load or a save needs no threads)

    with ThreadPoolExecutor(max_workers=max(1, min(len(calls), limit or len(calls)))) as pool:
        futures = [pool.submit(copy_context().run, call) for call in calls]
    return [future.result() for future in futures]


class WorkerPool:
    """Concurrent calls, in threads. When the block ends, it waits for calls that have started, and none remains.

    A pool of size one runs its calls in the caller's thread, so that code which is not thread-safe never meets another thread.
    """

    def __init__(self, size: int) -> None:
        """``size`` is the most calls that the caller starts before it waits for one."""
        from concurrent import futures  # noqa: PLC0415 (a load or a save needs no threads)

        self._futures = futures
        self._pool = (
            futures.ThreadPoolExecutor(size, thread_name_prefix="sessionbucket") if size > 1 else None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def start(self, call: Callable[[], T]) -> Future[T]:
        if self._pool is not None:
            return self._pool.submit(copy_context().run, call)
        done: Future[T] = self._futures.Future()
        done.set_result(call())
        return done

    def gather(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """Run the calls in this pool, and return their results in order. Raises the first error, after all calls have ended."""
        if len(calls) == 1:
            return [calls[0]()]
        futures = [self.start(call) for call in calls]
        self._futures.wait(futures)
        return [future.result() for future in futures]

    def wait(self, calls: Collection[Future[Any]]) -> None:
        """Wait until one of these calls is done."""
        self._futures.wait(calls, return_when=self._futures.FIRST_COMPLETED)


class SingleFlight(Generic[T]):
    """A call that concurrent callers share: the first makes it, and the others get its result or error.

    When the first caller is interrupted, the next one makes the call.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._reset()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        self._lock = Lock()
        self._outcome: Future[T] | None = None

    def __call__(self) -> T:
        from concurrent.futures import CancelledError, Future  # noqa: PLC0415 (a load needs no threads)

        while True:
            with self._lock:
                outcome = self._outcome
                if outcome is None:
                    mine = self._outcome = Future()
                    break
            with contextlib.suppress(CancelledError):
                return outcome.result()
        try:
            result = self._call()
        except Exception as error:
            mine.set_exception(error)
            raise
        except BaseException:
            mine.cancel()
            raise
        else:
            mine.set_result(result)
            return result
        finally:
            self._outcome = None


def each(items: Items[T]) -> Generator[T, None, None]:
    """Yield the items one by one, each when the caller asks for it."""
    yield from items


def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run the work in the caller's thread."""
    return work(*args, **kwargs)


def awaited(value: T) -> T:
    """Return the value."""
    return value


def chunks_of(data: FileSource) -> Generator[bytes, None, None]:
    """Yield the data in chunks."""
    yield from iterate(data)


def wait_for_threads_at_exit() -> None:
    """Do nothing: a plain call returns after its threads have ended their part."""
