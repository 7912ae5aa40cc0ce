"""An async store sends 64 requests concurrently, with each engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from sessionbucket import open_async_store

CONCURRENT = 64
MISSING = b"<Error><Code>NoSuchKey</Code></Error>"
EMPTY_LISTING = (
    b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix/>'
    b"<KeyCount>0</KeyCount><MaxKeys>1</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"
)


@pytest.fixture
async def waiting_url() -> AsyncIterator[str]:
    """A server that responds only after all concurrent requests have arrived."""
    arrived = 0
    all_arrived = asyncio.Event()

    async def respond(request: web.Request) -> web.Response:
        nonlocal arrived
        if "list-type" in request.query:  # the store looks for snapshots of a3s-code, once
            return web.Response(body=EMPTY_LISTING)
        arrived += 1
        if arrived == CONCURRENT:
            all_arrived.set()
        await all_arrived.wait()
        return web.Response(status=404, headers={"x-amz-request-id": "1"}, body=MISSING)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("engine", ["aioboto3", "obstore"])
async def test_a_store_sends_64_requests_concurrently(waiting_url: str, engine: str):
    url = f"s3://bucket?endpoint_url={waiting_url}&engine={engine}&max_attempts=1&read_timeout=30"
    async with open_async_store(url) as store:
        assert await asyncio.gather(*(store.exists(f"s{number}") for number in range(CONCURRENT))) == (
            [False] * CONCURRENT
        )
