"""The suite of stores."""

from __future__ import annotations

from sessionbucket.testing._async.conformance.saves import AsyncSaveTests
from sessionbucket.testing._async.conformance.sessions import AsyncSessionTests
from sessionbucket.testing._async.conformance.updates import AsyncUpdateTests


class AsyncStoreConformance(AsyncSessionTests, AsyncSaveTests, AsyncUpdateTests):
    """All that the docstrings of ``AsyncBaseSessionStore`` ask of the five methods, and that the rest works on them.

    A subclass gives the fixture ``store_factory``: a function without arguments that gives a store at one location, each
    time it is called a new object where the backend allows it. Whoever opens a store there closes it. Each test
    works with ids of its own, so one shared location will do, and nothing is cleaned up. For a session model of one's
    own, ``new_session``, ``add_text`` and ``texts_of`` are overridden.
    """
