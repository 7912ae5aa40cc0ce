"""Iterations that the caller abandons: no task and no thread continues."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing
from typing import Any

import pytest

from sessionbucket import (
    AsyncMemoryBucket,
    AsyncSessionStore,
    Capabilities,
    MemoryBucket,
    SessionData,
    SessionStore,
)

IDS = [f"s{number:03}" for number in range(300)]
SMALL_PAGES = Capabilities(page_limit=10)


class Slow(AsyncMemoryBucket):
    """Only its first request gets a response, and those for the sessions of a3s-code's v1 layout."""

    capabilities = SMALL_PAGES

    def __init__(self) -> None:
        super().__init__()
        self.begun = self.ended = 0

    async def get(self, key: str, **options: Any) -> Any:
        await self._respond()
        return await super().get(key, **options)

    async def list_page(self, prefix: str, **options: Any) -> Any:
        if not prefix.endswith("v1/sessions/"):
            await self._respond()
        return await super().list_page(prefix, **options)

    async def _respond(self) -> None:
        self.begun += 1
        try:
            if self.begun > 1:
                await asyncio.Event().wait()
        finally:
            self.ended += 1


async def slow_store() -> AsyncSessionStore[SessionData]:
    bucket = Slow()
    store = AsyncSessionStore(bucket)
    for id in IDS:
        await bucket.put(f"{id}.json", SessionData(id=id).model_dump_json().encode())
    return store


BULK = {
    "load_many": lambda store: store.load_many(IDS, concurrency=4),
    "iter_sessions": lambda store: store.iter_sessions(concurrency=4),
}


@pytest.mark.parametrize("bulk", BULK)
async def test_no_task_is_left_when_an_iteration_is_closed(bulk: str):
    store = await slow_store()
    async with aclosing(BULK[bulk](store)) as results:
        await anext(results)
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert store.bucket.begun == store.bucket.ended > 1


@pytest.mark.parametrize("bulk", BULK)
async def test_no_task_is_left_soon_after_a_break(bulk: str):
    store = await slow_store()
    async for _ in BULK[bulk](store):
        break
    while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 (the event loop closes dropped generators)
        await asyncio.sleep(0)
    assert store.bucket.begun == store.bucket.ended


@pytest.mark.parametrize("bulk", BULK)
async def test_no_task_is_left_when_the_caller_is_cancelled(bulk: str):
    store = await slow_store()
    given = asyncio.Event()

    async def work() -> None:
        async for _ in BULK[bulk](store):
            given.set()

    task = asyncio.create_task(work())
    await given.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 (as above)
        await asyncio.sleep(0)
    assert store.bucket.begun == store.bucket.ended


class Waiting(MemoryBucket):
    """Each request after the first waits for ``released``."""

    capabilities = SMALL_PAGES

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.begun = 0
        self.lock = threading.Lock()

    def get(self, key: str, **options: Any) -> Any:
        self._respond()
        return super().get(key, **options)

    def list_page(self, prefix: str, **options: Any) -> Any:
        if not prefix.endswith("v1/sessions/"):
            self._respond()
        return super().list_page(prefix, **options)

    def _respond(self) -> None:
        with self.lock:
            self.begun += 1
            first = self.begun == 1
        if not first:
            assert self.released.wait(60)


@pytest.fixture
def waiting_store() -> Iterator[SessionStore[SessionData]]:
    bucket = Waiting()
    for id in IDS:
        bucket.put(f"{id}.json", SessionData(id=id).model_dump_json().encode())
    yield SessionStore(bucket)
    bucket.released.set()


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sessionbucket")]


@pytest.mark.parametrize("bulk", BULK)
def test_no_thread_is_left_when_an_iteration_is_closed(waiting_store: SessionStore[SessionData], bulk: str):
    bucket: Any = waiting_store.bucket
    with closing(BULK[bulk](waiting_store)) as results:
        next(results)
        assert workers()
        bucket.released.set()
        begun = bucket.begun
    assert workers() == []
    assert begun <= bucket.begun <= 1 + 4


@pytest.mark.parametrize("bulk", BULK)
def test_no_thread_is_left_after_a_break_or_an_error(waiting_store: SessionStore[SessionData], bulk: str):
    bucket: Any = waiting_store.bucket
    bucket.released.set()
    for _ in BULK[bulk](waiting_store):
        break
    assert workers() == []

    def fail(call: Callable[[Any], Any]) -> None:
        for _ in call(waiting_store):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail(BULK[bulk])
    assert workers() == []


def test_a_concurrency_of_one_uses_the_callers_thread():
    class Single(MemoryBucket):
        def get(self, key: str, **options: Any) -> Any:
            assert threading.current_thread() is threading.main_thread()
            return super().get(key, **options)

    assert len(list(SessionStore(Single()).load_many(IDS, concurrency=1))) == len(IDS)


def test_a_listing_requests_the_next_page_while_the_caller_uses_one():
    class Counted(MemoryBucket):
        capabilities = SMALL_PAGES

        def __init__(self) -> None:
            super().__init__()
            self.pages = 0
            self.third = threading.Event()

        def list_page(self, prefix: str, **options: Any) -> Any:
            if not prefix:
                self.pages += 1
                if self.pages == 3:
                    self.third.set()
            return super().list_page(prefix, **options)

    bucket = Counted()
    for number in range(35):
        bucket.put(f"{number:02}.json", b"{}")
    with closing(SessionStore(bucket).iter_sessions()) as sessions:
        assert [next(sessions).id for _ in range(10)][-1] == "09"
        assert bucket.pages == 1
        assert next(sessions).id == "10"
        assert bucket.third.wait(60)
        assert [each.id for each in sessions][-1] == "34"
    assert bucket.pages == 4
