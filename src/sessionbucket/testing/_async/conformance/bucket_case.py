"""What all tests of a bucket begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

import pytest

from sessionbucket._async.bucket import AsyncBucket

LIMIT = 1 << 20
"""More bytes than the tests put whole."""


class AsyncBucketCase:
    """A bucket, and keys in it that no other test uses."""

    keeps_content_type: bool = True
    """Set it to False for a bucket that does not give back the content type of a put."""

    keeps_metadata: bool = True
    """Set it to False for a bucket that drops the metadata of a put. A save whose answer was lost can't be settled then."""

    race_rounds: int = 10
    """How often each race is run; for a backend whose every answer takes long, fewer."""

    open: Callable[[], AsyncBucket]
    bucket: AsyncBucket
    prefix: str

    @pytest.fixture
    def anyio_backend(self) -> str:
        """For tests that anyio runs: buckets work on asyncio."""
        return "asyncio"

    @pytest.fixture
    def bucket_prefix(self) -> str:
        """The start of all keys of a test; may be overridden where every test has a location of its own."""
        return f"conformance/{uuid4().hex}/"

    @pytest.fixture(autouse=True)
    def _arrange(self, bucket_factory: Callable[[], AsyncBucket], bucket_prefix: str) -> None:
        self.open = bucket_factory
        self.bucket = bucket_factory()
        self.prefix = bucket_prefix

    def key(self, name: str = "folder/object.json") -> str:
        """A key of this test's own."""
        return self.prefix + name

    async def fill(self, keys: Sequence[str]) -> None:
        """Put an object at each of many keys; may be overridden with a shorter way."""
        for key in keys:
            await self.bucket.put(key, b"{}")

    async def body_of(self, key: str, bucket: AsyncBucket | None = None) -> bytes | None:
        """The body at the key, or None where there is none."""
        found = await (bucket or self.bucket).get(key, max_bytes=LIMIT)
        return found.body if found else None
