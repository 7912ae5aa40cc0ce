"""Sixty-four operations of one async store are under way at once, with each engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from sessionbucket import open_async_store

AT_ONCE = 64


@pytest.fixture
async def patient_url() -> AsyncIterator[str]:
    """A server that answers nobody before so many have asked."""
    asked = 0
    all_are_here = asyncio.Event()

    async def answer(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked == AT_ONCE:
            all_are_here.set()
        await all_are_here.wait()
        return web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("engine", ["aioboto3", "obstore"])
async def test_sixty_four_operations_are_under_way_at_once(patient_url: str, engine: str):
    url = f"s3://bucket?endpoint_url={patient_url}&engine={engine}&max_attempts=1&read_timeout=30"
    async with open_async_store(url) as store:
        assert await asyncio.gather(*(store.exists(f"s{number}") for number in range(AT_ONCE))) == (
            [False] * AT_ONCE
        )
