"""A server that accepts connections and never reads: every call ends within its time limit, sync and async."""

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

SMALL, LARGE = b"small", bytes(6 << 20)


@pytest.fixture
def silent_url() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    gc.collect()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(S3Bucket, SMALL, id="s3-small", marks=pytest.mark.slow),
        pytest.param(S3Bucket, LARGE, id="s3-large", marks=pytest.mark.slow),
        pytest.param(ObstoreBucket, SMALL, id="obstore-small"),
        pytest.param(ObstoreBucket, LARGE, id="obstore-large", marks=pytest.mark.slow),
    ],
)
def test_a_put_to_a_server_that_never_reads_ends_within_its_time_limit(
    silent_url: str, kind: Any, body: bytes, monkeypatch: pytest.MonkeyPatch
):
    for module in ("time_limits", "obstore.clients"):
        monkeypatch.setattr(f"sessionbucket._backends.{module}.SLOWEST_TRANSFER", 6 << 20)
    bucket = kind("b", endpoint_url=silent_url, **OPTIONS)
    with pytest.raises(StoreUnavailableError, match=r"in time|connection") as caught:
        bucket.put("k", body)
    assert caught.value.outcome == "unknown"
    bucket.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [AsyncS3Bucket, pytest.param(AsyncObstoreBucket, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "body", [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large", marks=pytest.mark.slow)]
)
async def test_an_async_put_to_a_server_that_never_reads_ends_within_its_time_limit(
    silent_url: str, kind: Any, body: bytes, monkeypatch: pytest.MonkeyPatch
):
    for module in ("time_limits", "obstore.clients"):
        monkeypatch.setattr(f"sessionbucket._backends.{module}.SLOWEST_TRANSFER", 6 << 20)
    bucket = kind("b", endpoint_url=silent_url, **OPTIONS)
    async with asyncio.timeout(30):
        with pytest.raises(StoreUnavailableError, match="in time") as caught:
            await bucket.put("k", body)
    assert caught.value.outcome == "unknown"
    await bucket.close()
