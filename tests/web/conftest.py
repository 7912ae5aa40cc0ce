"""Stores in memory, and their viewers."""

from __future__ import annotations

import pytest

from sessionbucket import MemoryBucket, SessionData, SessionStore
from sessionbucket.testing import FaultyBucket
from web.viewing import Viewer


@pytest.fixture
def bucket() -> FaultyBucket:
    """A bucket in memory that keeps versions, fails on request, and notes every request."""
    return FaultyBucket(MemoryBucket(keep_versions=True))


@pytest.fixture
def store(bucket: FaultyBucket) -> SessionStore[SessionData]:
    return SessionStore(bucket)


@pytest.fixture
def viewed(store: SessionStore[SessionData]) -> Viewer:
    return Viewer(store)
