"""A faulty bucket without faults is the bucket within: it passes the suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessionbucket import AsyncBucket, AsyncMemoryBucket
from sessionbucket.testing import AsyncFaultyBucket
from sessionbucket.testing.conformance import AsyncBucketConformance


class TestFaultyBucket(AsyncBucketConformance):
    @pytest.fixture
    def bucket_factory(self) -> Callable[[], AsyncBucket]:
        inner = AsyncMemoryBucket()
        return lambda: AsyncFaultyBucket(inner)
