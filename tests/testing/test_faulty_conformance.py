"""A faulty bucket without faults behaves as its inner bucket: it passes the suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessionbucket import AsyncBucket, AsyncMemoryBucket, Bucket, MemoryBucket
from sessionbucket.testing import AsyncFaultyBucket, FaultyBucket
from sessionbucket.testing.conformance import AsyncBucketConformance, BucketConformance


class TestFaultyBucket(BucketConformance):
    @pytest.fixture
    def bucket_factory(self) -> Callable[[], Bucket]:
        inner = MemoryBucket()
        return lambda: FaultyBucket(inner)


class TestAsyncFaultyBucket(AsyncBucketConformance):
    @pytest.fixture
    def bucket_factory(self) -> Callable[[], AsyncBucket]:
        inner = AsyncMemoryBucket()
        return lambda: AsyncFaultyBucket(inner)
