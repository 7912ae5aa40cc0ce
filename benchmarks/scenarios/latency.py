"""The operations of an agent, concurrent tasks and listings behind latency, as in front of a cloud."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack

from benchmarks.running import SYNC_ENGINES, Run, ours
from benchmarks.scenarios import agents, concurrency, listing, summaries
from benchmarks.servers import Server
from sessionbucket import open_store

DELAYS = (0, 5, 20)
"""Milliseconds that a proxy adds to each response."""
AT_ONCE = 32
TARGET_DELAY = 15
"""The delay of the targets for concurrent tasks, listings and summaries."""
TARGET_SESSIONS = 100_000
_SESSIONS = 10_000


def measure(run: Run) -> None:
    """Measure behind each delay."""
    for delay in run.pick(DELAYS, DELAYS[1:2]):
        with run.servers.behind(run.main_server(), delay) as server:
            _agents(run, server)
            _concurrency(run, server)
            listing.measure_listing(run, server, run.pick(_SESSIONS, 100))
    if not run.quick:
        with run.servers.behind(run.main_server(), TARGET_DELAY) as server:
            _concurrency(run, server)
            listing.measure_listing(run, server, TARGET_SESSIONS)
            summaries.measure_summaries(run, server)


def _agents(run: Run, server: Server) -> None:
    bucket = server.new_bucket()
    with ExitStack() as stack:
        stores = {
            ours(engine): stack.enter_context(open_store(server.store_url(bucket, engine, engine)))
            for engine in run.engines(SYNC_ENGINES)
        }
        agents.measure_agents(run, server.name, stores, agents.rivals(run, server, bucket))


def _concurrency(run: Run, server: Server) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            tasks = runner.run(concurrency.contenders(run, server, stack))
            concurrency.measure_tasks(run, runner, server, tasks, AT_ONCE)
        finally:
            runner.run(stack.aclose())
