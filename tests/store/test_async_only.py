"""The features of the async store alone: coroutine functions as changes, async sources, tasks, and several event loops."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest

from conformance.locations import KINDS, MEMORY, Location
from conformance.samples import say, session_of, texts_of
from sessionbucket import AsyncMemoryBucket, AsyncSessionStore, SessionData, open_async_store
from sessionbucket.testing import AsyncFaultyBucket
from testing.capabilities import AsyncWithCapabilities


@pytest.fixture(params=KINDS)
def location(request: pytest.FixtureRequest, location_of: Callable[[str], Location]) -> Location:
    return location_of(request.param)


async def test_a_change_may_be_a_function_or_a_coroutine_function(location: Location):
    async def awaited(session: SessionData) -> None:
        await asyncio.sleep(0)
        say(session, "awaited")

    async def replaced(session: SessionData) -> SessionData:
        await asyncio.sleep(0)
        copy = session.model_copy(deep=True)
        say(copy, "replaced")
        return copy

    async with open_async_store(location.url()) as store:
        await store.save(session_of("s", "base"))
        await store.update("s", awaited)
        await store.update("s", replaced)
        await store.update("s", lambda session: say(session, "called"))
        assert texts_of(await store.load("s")) == ["base", "awaited", "replaced", "called"]


async def test_a_file_may_come_from_an_async_source(location: Location):
    async def source() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield b"x" * 1000

    async with open_async_store(location.url()) as store:
        await store.put_file("s", "x", source())
        async with await store.open_file("s", "x") as file:
            assert await file.read() == b"x" * 3000


# Connections of an ended event loop can't be closed, which is a ResourceWarning.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "left open"])
def test_a_store_may_be_used_in_successive_event_loops(location: Location, closed: bool):
    """As a handler with ``asyncio.run`` and a module-level store does."""
    store = open_async_store(location.url())

    async def turn(number: int, *, close: bool) -> list[str]:
        session = await store.update(
            "s", lambda session: say(session, f"turn {number}"), create=lambda: SessionData(id="s")
        )
        if close:
            await store.close()
        return texts_of(session)

    assert asyncio.run(turn(0, close=closed)) == ["turn 0"]
    assert asyncio.run(turn(1, close=closed)) == ["turn 0", "turn 1"]
    assert asyncio.run(turn(2, close=True)) == ["turn 0", "turn 1", "turn 2"]
    gc.collect()


async def cancelled_after(steps: int, work: Coroutine[None, None, object]) -> None:
    task = asyncio.create_task(work)
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_save_that_is_cancelled_leaves_the_old_session_or_the_new_one(location: Location):
    async with open_async_store(location.url()) as store:
        old, new = session_of("s", "old"), session_of("s", "new", *["x" * 1000] * 50)
        await store.save(old)
        for steps in range(12):
            await cancelled_after(steps, store.save(new.model_copy(deep=True), overwrite=True))
            assert await store.load("s") in (old, new)
        await asyncio.get_running_loop().shutdown_default_executor()
        if location.kind != MEMORY:
            assert location.names() == ["s.json"]


async def test_a_put_of_a_file_that_is_cancelled_leaves_no_upload_behind(location: Location):
    async with open_async_store(location.url()) as store:
        body = b"x" * (9 << 20)
        for steps in (*range(12), 20, 40):
            await cancelled_after(steps, store.put_file("s", "x", body))
        await asyncio.get_running_loop().shutdown_default_executor()
        if location.kind == MEMORY:
            return
        assert set(location.names()) <= {"artifacts/s/files/x"}
        if location.raw:
            prefix = location.key("artifacts/")
            uploads = location.raw.list_multipart_uploads(Bucket=location.bucket, Prefix=prefix)
            assert "Uploads" not in uploads


def probing_store() -> tuple[AsyncSessionStore[SessionData], AsyncFaultyBucket]:
    """A store that probes first, and the faulty bucket under it."""
    faulty = AsyncFaultyBucket(AsyncMemoryBucket())
    bucket = AsyncWithCapabilities(faulty)
    bucket.changes = {"conditional_writes": "probe"}
    return AsyncSessionStore(bucket), faulty


async def test_when_a_save_is_cancelled_during_its_probe_the_next_save_probes():
    store, faulty = probing_store()
    with faulty.pause_before("put", key="*/probe/*") as pause:
        first, *others = [asyncio.create_task(store.save(session_of(f"s{number}"))) for number in range(4)]
        await pause.reached()
        first.cancel()
        await asyncio.gather(*others)
    assert first.cancelled()
    assert await store.list() == ["s1", "s2", "s3"]


async def test_a_save_that_is_cancelled_while_another_probes_does_not_stop_the_probe():
    store, faulty = probing_store()
    with faulty.pause_before("put", key="*/probe/*") as pause:
        first, second = [asyncio.create_task(store.save(session_of(id))) for id in ("s1", "s2")]
        await pause.reached()
        second.cancel()
        await asyncio.wait([second])
        pause.release()
        await first
    assert second.cancelled()
    assert await store.list() == ["s1"]


def test_a_probe_in_a_stopped_event_loop_does_not_block_another_loop():
    store, faulty = probing_store()
    loop = asyncio.new_event_loop()
    with faulty.pause_before("put", key="*/probe/*") as pause:
        abandoned = loop.create_task(store.save(session_of("s1")))
        loop.run_until_complete(pause.reached())
        asyncio.run(store.save(session_of("s2")))
    abandoned.cancel()
    loop.run_until_complete(asyncio.wait([abandoned]))
    loop.close()
    assert asyncio.run(store.list()) == ["s2"]


async def test_many_tasks_share_one_store(location: Location):
    async with open_async_store(location.url()) as store:
        await asyncio.gather(*(store.save(session_of(f"s{number:02d}")) for number in range(20)))
        loaded = await asyncio.gather(*(store.load(f"s{number:02d}") for number in range(20)))
        assert all(loaded)
        assert len(await store.list()) == 20
