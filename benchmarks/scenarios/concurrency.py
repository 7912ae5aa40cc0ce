"""Async: each task saves and loads a session, and all tasks run concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from benchmarks.documents import document_of, session_of
from benchmarks.findings import CPU, RATE, Setting
from benchmarks.measuring import race
from benchmarks.rivals import bare_aiobotocore
from benchmarks.running import ASYNC_ENGINES, KB, Run, ours
from benchmarks.servers import Server
from sessionbucket import AsyncSessionStore, open_async_store

AT_ONCE = (1, 8, 32, 64)
SIZE = 50 * KB
_OPERATIONS = 2
"""The operations of each task: a save and a load."""

Task = Callable[[int], Awaitable[None]]


def measure(run: Run) -> None:
    """Measure each number of tasks on each server."""
    with asyncio.Runner() as runner:
        for server in run.each_server():
            stack = AsyncExitStack()
            tasks = runner.run(contenders(run, server, stack))
            try:
                for at_once in run.pick(AT_ONCE, (1, 32)):
                    measure_tasks(run, runner, server, tasks, at_once)
            finally:
                runner.run(stack.aclose())


def measure_tasks(
    run: Run, runner: asyncio.Runner, server: Server, tasks: dict[str, Task], at_once: int
) -> None:
    """Measure this number of concurrent tasks."""

    async def all_at_once(task: Task) -> None:
        await asyncio.gather(*(task(number) for number in range(at_once)))

    def together(task: Task) -> None:
        runner.run(all_at_once(task))

    together_by_name: dict[str, Callable[[], object]] = {
        name: partial(together, task) for name, task in tasks.items()
    }
    timings = race(together_by_name, rounds=run.pick(11, 2), calls=max(1, run.pick(64, 8) // at_once))
    done = _OPERATIONS * at_once
    setting = Setting("concurrency", "save and load", server.name, at_once)
    rates = {name: [done / each.elapsed for each in rounds] for name, rounds in timings.items()}
    cpu = {name: [each.cpu / done for each in rounds] for name, rounds in timings.items()}
    run.findings.add_values(setting, RATE, rates, against=bare_aiobotocore.NAME)
    run.findings.add_values(setting, CPU, cpu, against=bare_aiobotocore.NAME)


async def contenders(run: Run, server: Server, stack: AsyncExitStack) -> dict[str, Task]:
    """The tasks of sessionbucket and its rivals, with clients that the stack closes."""
    bucket = server.new_bucket()
    document = document_of(session_of(SIZE))
    tasks: dict[str, Task] = {}
    for engine in run.engines(ASYNC_ENGINES):
        store = await stack.enter_async_context(open_async_store(server.store_url(bucket, engine, engine)))
        tasks[ours(engine)] = _through_store(store)
    bare = await stack.enter_async_context(bare_aiobotocore.BareAiobotocore(server, bucket))
    tasks[bare_aiobotocore.NAME] = _bare(bare.save, bare.load, document)
    if run.has("obstore"):
        from benchmarks.rivals.bare_obstore import NAME, BareObstore  # noqa: PLC0415 (may be missing)

        rust = BareObstore(server, bucket)
        tasks[NAME] = _bare(rust.save_async, rust.load_async, document)
    return tasks


def _through_store(store: AsyncSessionStore) -> Task:
    session = session_of(SIZE)
    sessions = [session.model_copy(update={"id": f"session-{number}"}) for number in range(max(AT_ONCE))]

    async def task(number: int) -> None:
        await store.save(sessions[number])
        await store.load(sessions[number].id)

    return task


def _bare(
    save: Callable[[str, dict[str, Any]], Awaitable[None]],
    load: Callable[[str], Awaitable[Any]],
    document: dict[str, Any],
) -> Task:
    async def task(number: int) -> None:
        key = f"bare/{number}.json"
        await save(key, document)
        await load(key)

    return task
