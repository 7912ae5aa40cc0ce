"""The suite of buckets."""

from __future__ import annotations

from sessionbucket.testing._sync.conformance.conditions import ConditionTests
from sessionbucket.testing._sync.conformance.listings import ListingTests
from sessionbucket.testing._sync.conformance.objects import ObjectTests
from sessionbucket.testing._sync.conformance.races import RaceTests
from sessionbucket.testing._sync.conformance.stream_bodies import StreamTests


class BucketConformance(ObjectTests, ConditionTests, RaceTests, ListingTests, StreamTests):
    """All that the docstrings of ``Bucket`` ask for.

    A subclass gives the fixture ``bucket_factory``: a function without arguments that gives a bucket at one location, each
    time it is called a new object where the backend allows it. Whoever opens a bucket there closes it. Each test works
    under keys of its own, so one shared location will do, and nothing is cleaned up.
    """
