"""The sync side: plain calls."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar

from sessionbucket._core.file_sources import SyncFileSource as FileSource
from sessionbucket._core.file_sources import iterate

if TYPE_CHECKING:
    from concurrent.futures import Future

    Call = Future

P = ParamSpec("P")
T = TypeVar("T")

sleep = time.sleep
closing = contextlib.closing

Items = Iterable[T]

__all__ = [
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


def gather(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make the calls at the same time, and give their results in order.

    The first error is raised, after all have ended.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (a load or a save needs no threads)

    with ThreadPoolExecutor(max_workers=max(1, len(calls))) as pool:
        futures = [pool.submit(call) for call in calls]
    return [future.result() for future in futures]


class Crew:
    """Calls under way at the same time, in threads. None is left when the block ends: it waits for those that have begun.

    A crew of one is the caller's own thread, so that what is not made for threads never meets another.
    """

    def __init__(self, size: int) -> None:
        """``size`` is the most that the caller starts before it has waited for one."""
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
            return self._pool.submit(call)
        done: Future[T] = self._futures.Future()
        done.set_result(call())
        return done

    def wait(self, calls: Collection[Future[Any]]) -> None:
        """Wait until one of these is done."""
        self._futures.wait(calls, return_when=self._futures.FIRST_COMPLETED)


class Shared(Generic[T]):
    """A call that all who want it at the same time make once: the first makes it, and the others get what it gave or raised.

    If the first is interrupted, the next makes it.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
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
    """The items, one by one as they are asked for."""
    yield from items


def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The caller's thread is the one."""
    return work(*args, **kwargs)


def settled(value: T) -> T:
    """The value itself."""
    return value


def chunks_of(data: FileSource) -> Generator[bytes, None, None]:
    """The data in chunks."""
    yield from iterate(data)


def let_threads_end_at_exit() -> None:
    """A plain call returns after its threads have ended their part."""
