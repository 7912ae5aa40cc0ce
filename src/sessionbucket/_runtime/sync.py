"""The sync side: plain calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import ParamSpec, TypeVar

from sessionbucket.sources import SyncFileSource as FileSource
from sessionbucket.sources import iterate

P = ParamSpec("P")
T = TypeVar("T")

sleep = time.sleep

__all__ = ["FileSource", "chunks_of", "gather", "in_thread", "settled", "sleep"]


def gather(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make the calls at the same time, and give their results in order.

    The first error is raised, after all have ended.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (a load or a save needs no threads)

    with ThreadPoolExecutor(max_workers=max(1, len(calls))) as pool:
        futures = [pool.submit(call) for call in calls]
    return [future.result() for future in futures]


def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The caller's thread is the one."""
    return work(*args, **kwargs)


def settled(value: T) -> T:
    """The value itself."""
    return value


def chunks_of(data: FileSource) -> Generator[bytes, None, None]:
    """The data in chunks."""
    yield from iterate(data)
