"""A server whose port is open and that never reads a byte: no call waits for it without end, sync or async."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from sessionbucket import AsyncObstoreBucket, AsyncS3Bucket, ObstoreBucket, S3Bucket, StoreUnavailableError

OPTIONS = {"region": "us-east-1", "connect_timeout": 0.5, "read_timeout": 0.5, "max_attempts": 1}
# The client libraries leave the socket of a request that timed out to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

BODIES = [b"small", bytes(6 << 20)]


@pytest.fixture
def deaf_url() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    gc.collect()


@pytest.mark.parametrize("kind", [S3Bucket, ObstoreBucket])
@pytest.mark.parametrize("body", BODIES, ids=["small", "large"])
def test_a_put_ends_though_nobody_reads_it(
    deaf_url: str, kind: Any, body: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sessionbucket._backends.obstore.clients._SLOWEST", 6 << 20)
    bucket = kind("b", endpoint_url=deaf_url, **OPTIONS)
    with pytest.raises(StoreUnavailableError, match=r"in time|connection") as caught:
        bucket.put("k", body)
    assert caught.value.outcome == "unknown"
    bucket.close()


@pytest.mark.parametrize("kind", [AsyncS3Bucket, AsyncObstoreBucket])
@pytest.mark.parametrize("body", BODIES, ids=["small", "large"])
async def test_an_async_put_ends_though_nobody_reads_it(
    deaf_url: str, kind: Any, body: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sessionbucket._backends.obstore.clients._SLOWEST", 6 << 20)
    monkeypatch.setattr("sessionbucket._backends.s3.aiohttp_session._SLOWEST", 6 << 20)
    bucket = kind("b", endpoint_url=deaf_url, **OPTIONS)
    async with asyncio.timeout(30):
        with pytest.raises(StoreUnavailableError, match="in time") as caught:
            await bucket.put("k", body)
    assert caught.value.outcome == "unknown"
    await bucket.close()
