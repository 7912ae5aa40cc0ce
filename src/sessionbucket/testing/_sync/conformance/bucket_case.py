# Generated from sessionbucket/testing/_async/conformance/bucket_case.py by scripts/generate_sync.py: do not edit.
"""The base of the bucket suite: its fixtures and helpers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

import pytest

from sessionbucket import Bucket

LIMIT = 1 << 20
"""A limit above every body that the tests put in one call."""


class BucketCase:
    """A bucket, and keys in it that no other test uses."""

    race_rounds: int = 10
    """How often each race runs. Set a lower number for a slow backend."""

    open: Callable[[], Bucket]
    bucket: Bucket
    prefix: str

    @pytest.fixture
    def anyio_backend(self) -> str:
        """For tests that anyio runs: buckets work on asyncio."""
        return "asyncio"

    @pytest.fixture
    def bucket_prefix(self) -> str:
        """The prefix of all keys of a test. Override it when every test has a location of its own."""
        return f"conformance/{uuid4().hex}/"

    @pytest.fixture(autouse=True)
    def _arrange(self, bucket_factory: Callable[[], Bucket], bucket_prefix: str) -> None:
        self.open = bucket_factory
        self.bucket = bucket_factory()
        self.prefix = bucket_prefix

    def key(self, name: str = "folder/object.json") -> str:
        """A key of this test."""
        return self.prefix + name

    def fill(self, keys: Sequence[str]) -> None:
        """Put an object at each of many keys. Override it with a faster way."""
        for key in keys:
            self.bucket.put(key, b"{}")

    def body_of(self, key: str, bucket: Bucket | None = None) -> bytes | None:
        """The body at the key, or None when the key does not exist."""
        found = (bucket or self.bucket).get(key, max_bytes=LIMIT)
        return found.body if found else None
