"""Suites that a bucket or a store of a user's own runs to prove itself, in a few lines.

A test class subclasses a suite and has (or finds in its module or ``conftest.py``) one fixture::

    class TestMyBucket(BucketConformance):
        keeps_content_type = False

        @pytest.fixture
        def bucket_factory(self, tmp_path):
            return lambda: MyBucket(tmp_path / "objects.db")

The tests of the async suites run under pytest-asyncio (mark the class with ``pytest.mark.asyncio``, unless its mode is
``auto``) and under anyio (``pytest.mark.anyio``); the fixture may be sync or async. Each message of a failed test says what
was promised and not kept.
"""

from __future__ import annotations

from sessionbucket.testing._async.conformance.bucket import AsyncBucketConformance
from sessionbucket.testing._async.conformance.store import AsyncStoreConformance
from sessionbucket.testing._sync.conformance.bucket import BucketConformance
from sessionbucket.testing._sync.conformance.store import StoreConformance

__all__ = ["AsyncBucketConformance", "AsyncStoreConformance", "BucketConformance", "StoreConformance"]
