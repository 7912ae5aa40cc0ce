"""A faulty bucket without faults is the bucket within: it passes the suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessionbucket import Bucket, MemoryBucket
from sessionbucket.testing import FaultyBucket
from sessionbucket.testing.conformance import BucketConformance


class TestFaultyBucket(BucketConformance):
    @pytest.fixture
    def bucket_factory(self) -> Callable[[], Bucket]:
        inner = MemoryBucket()
        return lambda: FaultyBucket(inner)
