from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from functools import cache
from typing import Any

import aioboto3
import pytest

from conformance.locations import FILE, MEMORY, OBSTORE, Location
from sessionbucket import (
    AsyncBucket,
    AsyncFileBucket,
    AsyncMemoryBucket,
    AsyncObstoreBucket,
    AsyncS3Bucket,
    AsyncSessionStore,
)


class Opener:
    """Opens buckets and stores at one location, each with a client of its own, and closes them."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._memory = AsyncMemoryBucket()
        self._opened: list[AsyncBucket] = []

    def bucket(self) -> AsyncBucket:
        bucket: AsyncBucket
        if self.location.kind == MEMORY:
            bucket = self._memory
        elif self.location.kind == FILE:
            bucket = AsyncFileBucket(self.location.root)
        elif self.location.engine == OBSTORE:
            bucket = AsyncObstoreBucket(
                self.location.bucket, cloud=self.location.cloud, endpoint_url=self.location.endpoint_url
            )
        else:
            bucket = AsyncS3Bucket(
                self.location.bucket, session=client_session(), endpoint_url=self.location.endpoint_url
            )
        self._opened.append(bucket)
        return bucket

    def store(self, prefix: str = "", **arguments: Any) -> AsyncSessionStore[Any]:
        return AsyncSessionStore(self.bucket(), self.location.key(prefix), **arguments)

    async def write(self, name: str, body: bytes) -> None:
        """Put an object by other means than the store."""
        if self.location.kind == MEMORY:
            await self._memory.put(name, body)
        else:
            self.location.write(name, body)

    async def fill(self, names: Sequence[str], body: bytes = b"{}") -> None:
        """Put many objects of one body, by the shortest way."""
        if self.location.kind == MEMORY:
            for name in names:
                await self._memory.put(name, body)
        else:
            self.location.fill(names, body)

    async def read(self, name: str) -> bytes:
        """An object's body, by other means than the store."""
        if self.location.kind == MEMORY:
            found = await self._memory.get(name, max_bytes=1 << 30)
            assert found is not None
            return found.body
        return self.location.read(name)

    async def names(self) -> list[str]:
        """Every object of the location, by other means than the store."""
        if self.location.kind == MEMORY:
            page = await self._memory.list_page("", limit=self._memory.page_limit)
            return sorted(info.key for info in page.objects)
        return self.location.names()

    async def close(self) -> None:
        for bucket in self._opened:
            await bucket.close()


@cache
def client_session() -> Any:
    """One session for all clients: a new one reads botocore's data files again."""
    return aioboto3.Session()


@pytest.fixture
async def opener(location: Location) -> AsyncGenerator[Opener, None]:
    opener = Opener(location)
    yield opener
    await opener.close()


@pytest.fixture
def async_store(opener: Opener) -> AsyncSessionStore[Any]:
    return opener.store()


@pytest.fixture
def async_bucket(opener: Opener) -> AsyncBucket:
    return opener.bucket()
