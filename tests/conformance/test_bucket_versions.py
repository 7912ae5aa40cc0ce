"""The port on buckets that keep versions: the whole suite of the kit, since versions change nothing else that a bucket promises."""

from __future__ import annotations

from conformance.locations import versioned
from conformance.suites import AsyncBucketSuite, BucketSuite


@versioned
class TestVersionedBucket(BucketSuite):
    rounds_on_a_server = 1


@versioned
class TestAsyncVersionedBucket(AsyncBucketSuite):
    rounds_on_a_server = 1
