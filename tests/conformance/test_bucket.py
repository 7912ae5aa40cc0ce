"""The port: every kind of bucket passes the suite that the kit has for a user's own bucket."""

from __future__ import annotations

from conformance.suites import AsyncBucketSuite, BucketSuite


class TestBucket(BucketSuite):
    pass


class TestAsyncBucket(AsyncBucketSuite):
    pass
