# Generated from sessionbucket/testing/_async/conformance/__init__.py by scripts/generate_sync.py: do not edit.
"""Test suites for buckets and stores."""

from __future__ import annotations

from sessionbucket.testing._sync.conformance.conditions import ConditionTests
from sessionbucket.testing._sync.conformance.listings import ListingTests
from sessionbucket.testing._sync.conformance.objects import ObjectTests
from sessionbucket.testing._sync.conformance.races import RaceTests
from sessionbucket.testing._sync.conformance.saves import SaveTests
from sessionbucket.testing._sync.conformance.sessions import SessionTests
from sessionbucket.testing._sync.conformance.stream_bodies import StreamTests
from sessionbucket.testing._sync.conformance.updates import UpdateTests
from sessionbucket.testing._sync.conformance.versions import VersionTests


class BucketConformance(
    ObjectTests,
    ConditionTests,
    RaceTests,
    ListingTests,
    StreamTests,
    VersionTests,
):
    """Every promise in the docstrings of ``Bucket``.

    A subclass has the fixture ``bucket_factory``: a function without arguments that returns a bucket at one location, each
    time a new object if the backend supports that. The fixture closes the buckets that it opens. Each test uses its own
    keys, so the tests may share one location, and nothing is cleaned up.
    """


class StoreConformance(SessionTests, SaveTests, UpdateTests):
    """Every promise in the docstrings of ``BaseSessionStore`` about its five methods and the methods on top of them.

    A subclass has the fixture ``store_factory``: a function without arguments that returns a store at one location, each
    time a new object if the backend supports that. The fixture closes the stores that it opens. Each test uses its own
    ids, so the tests may share one location, and nothing is cleaned up. For a session model of your
    own, override ``new_session``, ``add_text`` and ``texts_of``.
    """
