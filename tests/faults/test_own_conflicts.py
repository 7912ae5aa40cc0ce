"""A save that ends without an outcome does not make the next save of the same session a conflict."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from faults.conftest import Site
from faults.proxy import Exchange, requests
from faults.proxy_faults import (
    act_and_never_respond,
    before,
    drop_request,
    drop_response,
    never_respond,
    pass_on,
    respond,
)
from sessionbucket import (
    AsyncFileBucket,
    AsyncSessionStore,
    FileBucket,
    SessionConflictError,
    SessionData,
    SessionStore,
    StoreUnavailableError,
    open_async_store,
)
from sessionbucket._backends.file.locks import lock_name

PUT = requests("PUT", "s.json")
HEAD = requests("HEAD", "s.json")


@pytest.mark.parametrize("fault", [drop_response, drop_request])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_save_after_one_of_unknown_outcome_builds_on_it(site: Site, fault: Any, is_new: bool) -> None:
    store = site.store(max_attempts=1)
    session = SessionData(id="s", tool_names=["first"])
    if not is_new:
        store.save(session)
        session.tool_names.append("second")
    site.proxy.on(PUT, fault)
    site.proxy.on(HEAD, respond(503, "SlowDown"), times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        store.save(session)
    assert caught.value.outcome == "unknown"
    site.proxy.reset()
    session.tool_names.append("last")
    store.save(session)
    assert site.someone_else().load("s").tool_names == session.tool_names
    session.tool_names.append("more")
    store.save(session)


def test_a_save_after_an_overwrite_of_unknown_outcome_builds_on_it(site: Site) -> None:
    site.someone_else().save(SessionData(id="s", tool_names=["other"]))
    store = site.store(max_attempts=1)
    session = SessionData(id="s", tool_names=["first"])
    site.proxy.on(HEAD, respond(503, "SlowDown"), nth=2, times=None)  # the first one begins the overwrite
    site.proxy.on(PUT, drop_response)
    with pytest.raises(StoreUnavailableError) as caught:
        store.save(session, overwrite=True)
    assert caught.value.outcome == "unknown"
    site.proxy.reset()
    session.tool_names.append("last")
    store.save(session)
    assert site.someone_else().load("s").tool_names == ["first", "last"]


@pytest.mark.slow  # the pauses between ten conflicts
@pytest.mark.parametrize("server", ["moto"])
@pytest.mark.parametrize("s3_side", ["sync", "async"], indirect=True)
def test_an_overwrite_that_never_wins_raises_a_conflict_of_the_session(site: Site) -> None:
    other = site.someone_else()
    other.save(SessionData(id="s"))
    site.proxy.on(
        PUT,
        before(lambda: other.update("s", lambda session: session.tool_names.append("x")), pass_on),
        times=None,
    )
    with pytest.raises(SessionConflictError) as caught:
        site.store().save(SessionData(id="s", tool_names=["ours"]), overwrite=True)
    assert caught.value.outcome == "not written"
    assert "ours" not in other.load("s").tool_names


def test_a_save_after_one_of_unknown_outcome_still_conflicts_with_another_writer(site: Site) -> None:
    store = site.store(max_attempts=1)
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    site.proxy.on(PUT, drop_response)
    site.proxy.on(HEAD, respond(503, "SlowDown"), times=None)
    session.tool_names.append("second")
    with pytest.raises(StoreUnavailableError):
        store.save(session)
    site.proxy.reset()
    site.someone_else().update("s", lambda session: session.tool_names.append("other"))
    with pytest.raises(SessionConflictError) as caught:
        store.save(session)
    assert caught.value.outcome == "not written"
    assert site.someone_else().load("s").tool_names == ["first", "second", "other"]


@pytest.mark.parametrize("fault", [act_and_never_respond, never_respond])
@pytest.mark.parametrize("how", ["cancel", "timeout", "task group"])
@pytest.mark.parametrize("engine", ["aioboto3", "obstore"])
async def test_a_save_after_a_cancelled_one_builds_on_it(
    endpoint: Any, aws_environment: None, engine: str, how: str, fault: Any
) -> None:
    proxy = await asyncio.to_thread(endpoint, "seaweed")
    proxy.reset()
    url = f"s3://sessions/{uuid4().hex}?endpoint_url={proxy.url}&region=us-east-1&engine={engine}"
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def notice(exchange: Exchange) -> web.StreamResponse:
        if fault is act_and_never_respond:
            await exchange.forward()
        loop.call_soon_threadsafe(arrived.set)
        return await never_respond(exchange)

    async with open_async_store(url) as store:
        session = SessionData(id="s", tool_names=["first"])
        await store.save(session)
        proxy.on(PUT, notice)
        session.tool_names.append("second")
        await interrupted(how, store.save(session), arrived)
        proxy.reset()
        session.tool_names.append("third")
        await store.save(session)
        loaded = await store.load("s")
        assert loaded is not None
        assert loaded.tool_names == ["first", "second", "third"]


async def interrupted(how: str, work: Any, arrived: asyncio.Event) -> None:
    """Interrupt the work after the request has arrived."""
    if how == "task group":

        async def fail() -> None:
            await arrived.wait()
            raise RuntimeError

        with pytest.raises(ExceptionGroup):  # noqa: PT012
            async with asyncio.TaskGroup() as group:
                group.create_task(work)
                group.create_task(fail())
        return
    task = asyncio.create_task(work)
    await arrived.wait()
    if how == "cancel":
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(task, 0)


@pytest.fixture
def ctrl_c_raises() -> Iterator[None]:
    """A shell starts a job in the background with this signal ignored."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs pthread_kill")
@pytest.mark.usefixtures("ctrl_c_raises")
@pytest.mark.parametrize("s3_side", ["sync"], indirect=True)
def test_a_save_after_ctrl_c_builds_on_the_interrupted_one(site: Site) -> None:
    store = site.store()
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    main = threading.main_thread().ident or 0

    async def interrupt(exchange: Exchange) -> web.StreamResponse:
        await exchange.forward()
        signal.pthread_kill(main, signal.SIGINT)
        return await never_respond(exchange)

    site.proxy.on(PUT, interrupt)
    session.tool_names.append("second")
    with pytest.raises(KeyboardInterrupt):
        store.save(session)
    site.proxy.reset()
    session.tool_names.append("third")
    store.save(session)
    assert site.someone_else().load("s").tool_names == ["first", "second", "third"]


async def test_a_save_to_a_folder_after_a_cancelled_one_builds_on_it(tmp_path: Path) -> None:
    for steps in range(40):
        async with AsyncSessionStore(AsyncFileBucket(tmp_path / str(steps))) as store:
            session = SessionData(id="s", tool_names=["first"])
            await store.save(session)
            session.tool_names.append("second")
            task = asyncio.create_task(store.save(session))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            session.tool_names.append("third")
            await store.save(session)
            loaded = await store.load("s")
            assert loaded is not None
            assert loaded.tool_names == ["first", "second", "third"]


@contextmanager
def locked(root: Path, key: str) -> Iterator[None]:
    """Hold the lock of a key as another process would."""
    path = root / ".sessionbucket" / "locks" / lock_name(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


async def test_a_cancelled_delete_of_a_folder_ends_before_it_raises(tmp_path: Path) -> None:
    async with AsyncSessionStore(AsyncFileBucket(tmp_path)) as store:
        await store.save(SessionData(id="s", tool_names=["first"]))
        with locked(tmp_path, "s.json"):
            task = asyncio.create_task(store.delete("s"))
            for _ in range(200):  # until the thread waits for the lock
                await asyncio.to_thread(int)
            task.cancel()
            for _ in range(20):
                await asyncio.to_thread(int)
            assert not task.done()
        with pytest.raises(asyncio.CancelledError):
            await task
        await store.save(SessionData(id="s", tool_names=["second"]), overwrite=True)
        loaded = await store.load("s")
        assert loaded is not None
        assert loaded.tool_names == ["second"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fsync of a folder")
def test_a_failed_fsync_after_the_rename_is_no_unwritten_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails at the fsync of the folder, when the rename is done."""
    store = SessionStore(FileBucket(tmp_path))
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    fsync = os.fsync

    def fail(handle: int) -> None:
        if os.path.samestat(os.fstat(handle), tmp_path.stat()):
            raise OSError(5, "Input/output error")
        fsync(handle)

    session.tool_names.append("second")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(StoreUnavailableError) as caught:
            store.save(session)
    assert caught.value.outcome == "unknown"
    session.tool_names.append("third")
    store.save(session)
    assert store.load("s") == session
