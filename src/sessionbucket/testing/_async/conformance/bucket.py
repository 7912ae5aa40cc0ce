"""The suite of buckets."""

from __future__ import annotations

from sessionbucket.testing._async.conformance.conditions import AsyncConditionTests
from sessionbucket.testing._async.conformance.listings import AsyncListingTests
from sessionbucket.testing._async.conformance.objects import AsyncObjectTests
from sessionbucket.testing._async.conformance.races import AsyncRaceTests
from sessionbucket.testing._async.conformance.stream_bodies import AsyncStreamTests


class AsyncBucketConformance(
    AsyncObjectTests, AsyncConditionTests, AsyncRaceTests, AsyncListingTests, AsyncStreamTests
):
    """All that the docstrings of ``AsyncBucket`` ask for.

    A subclass gives the fixture ``bucket_factory``: a function without arguments that gives a bucket at one location, each
    time it is called a new object where the backend allows it. Whoever opens a bucket there closes it. Each test works
    under keys of its own, so one shared location will do, and nothing is cleaned up.
    """
