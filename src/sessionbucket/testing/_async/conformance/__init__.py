"""Test suites for buckets and stores."""

from __future__ import annotations

from sessionbucket.testing._async.conformance.conditions import AsyncConditionTests
from sessionbucket.testing._async.conformance.listings import AsyncListingTests
from sessionbucket.testing._async.conformance.objects import AsyncObjectTests
from sessionbucket.testing._async.conformance.races import AsyncRaceTests
from sessionbucket.testing._async.conformance.saves import AsyncSaveTests
from sessionbucket.testing._async.conformance.sessions import AsyncSessionTests
from sessionbucket.testing._async.conformance.stream_bodies import AsyncStreamTests
from sessionbucket.testing._async.conformance.updates import AsyncUpdateTests
from sessionbucket.testing._async.conformance.versions import AsyncVersionTests


class AsyncBucketConformance(
    AsyncObjectTests,
    AsyncConditionTests,
    AsyncRaceTests,
    AsyncListingTests,
    AsyncStreamTests,
    AsyncVersionTests,
):
    """Every promise in the docstrings of ``AsyncBucket``.

    A subclass has the fixture ``bucket_factory``: a function without arguments that returns a bucket at one location, each
    time a new object if the backend supports that. The fixture closes the buckets that it opens. Each test uses its own
    keys, so the tests may share one location, and nothing is cleaned up.
    """


class AsyncStoreConformance(AsyncSessionTests, AsyncSaveTests, AsyncUpdateTests):
    """Every promise in the docstrings of ``AsyncBaseSessionStore`` about its five methods and the methods on top of them.

    A subclass has the fixture ``store_factory``: a function without arguments that returns a store at one location, each
    time a new object if the backend supports that. The fixture closes the stores that it opens. Each test uses its own
    ids, so the tests may share one location, and nothing is cleaned up. For a session model of your
    own, override ``new_session``, ``add_text`` and ``texts_of``.
    """
