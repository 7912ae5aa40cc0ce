"""Test suites for buckets and stores of your own.

A test class is a subclass of a suite, with one fixture in the class, its module or ``conftest.py``::

    class TestMyBucket(BucketConformance):
        @pytest.fixture
        def bucket_factory(self, tmp_path):
            return lambda: MyBucket(tmp_path / "objects.db")

The tests of the async suites run under pytest-asyncio (mark the class with ``pytest.mark.asyncio``, unless its mode is
``auto``) and under anyio (``pytest.mark.anyio``). The fixture may be sync or async. The message of each failed test names the
broken promise.
"""

from __future__ import annotations

from sessionbucket.testing._async.conformance import AsyncBucketConformance, AsyncStoreConformance
from sessionbucket.testing._sync.conformance import BucketConformance, StoreConformance

__all__ = ["AsyncBucketConformance", "AsyncStoreConformance", "BucketConformance", "StoreConformance"]
