from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import cache
from typing import Any

import boto3
import pytest

from conformance.locations import FILE, MEMORY, OBSTORE, Location
from sessionbucket import (
    Bucket,
    FileBucket,
    MemoryBucket,
    ObstoreBucket,
    S3Bucket,
    SessionStore,
)


class Opener:
    """Opens buckets and stores at one location, each with a client of its own, and closes them."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._memory = MemoryBucket()
        self._opened: list[Bucket] = []

    def bucket(self) -> Bucket:
        bucket: Bucket
        if self.location.kind == MEMORY:
            bucket = self._memory
        elif self.location.kind == FILE:
            bucket = FileBucket(self.location.root)
        elif self.location.engine == OBSTORE:
            bucket = ObstoreBucket(
                self.location.bucket, cloud=self.location.cloud, endpoint_url=self.location.endpoint_url
            )
        else:
            bucket = S3Bucket(
                self.location.bucket, session=client_session(), endpoint_url=self.location.endpoint_url
            )
        self._opened.append(bucket)
        return bucket

    def store(self, prefix: str = "", **arguments: Any) -> SessionStore[Any]:
        return SessionStore(self.bucket(), self.location.key(prefix), **arguments)

    def write(self, name: str, body: bytes) -> None:
        """Put an object by other means than the store."""
        if self.location.kind == MEMORY:
            self._memory.put(name, body)
        else:
            self.location.write(name, body)

    def fill(self, names: Sequence[str], body: bytes = b"{}") -> None:
        """Put many objects of one body, by the shortest way."""
        if self.location.kind == MEMORY:
            for name in names:
                self._memory.put(name, body)
        else:
            self.location.fill(names, body)

    def read(self, name: str) -> bytes:
        """An object's body, by other means than the store."""
        if self.location.kind == MEMORY:
            found = self._memory.get(name, max_bytes=1 << 30)
            assert found is not None
            return found.body
        return self.location.read(name)

    def names(self) -> list[str]:
        """Every object of the location, by other means than the store."""
        if self.location.kind == MEMORY:
            page = self._memory.list_page("", limit=self._memory.page_limit)
            return sorted(info.key for info in page.objects)
        return self.location.names()

    def close(self) -> None:
        for bucket in self._opened:
            bucket.close()


@cache
def client_session() -> Any:
    """One session for all clients: a new one reads botocore's data files again."""
    return boto3.Session()


@pytest.fixture
def opener(location: Location) -> Generator[Opener, None, None]:
    opener = Opener(location)
    yield opener
    opener.close()


@pytest.fixture
def store(opener: Opener) -> SessionStore[Any]:
    return opener.store()


@pytest.fixture
def bucket(opener: Opener) -> Bucket:
    return opener.bucket()
