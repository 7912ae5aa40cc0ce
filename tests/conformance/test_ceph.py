"""Ceph's own rule: it refuses a quoted ETag in If-Match. The probe finds that out, and a store then works as on any server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from both_sides import at_once
from conformance.ceph import CephServer
from conformance.locations import unique_name
from conformance.samples import say, session_of
from sessionbucket import ConditionalWriteSupport, SessionConflictError

pytestmark = pytest.mark.slow
WRITERS = 8


@pytest.fixture(params=["S3Bucket", "ObstoreBucket"])
def store(request: pytest.FixtureRequest, side: Any, ceph: CephServer) -> Iterator[Any]:
    bucket = side.make(request.param, "sessions", endpoint_url=ceph.endpoint_url, read_timeout=20.0)
    store = side.store(bucket, unique_name())
    yield store
    bucket.close()


def test_the_probe_finds_atomic_writes_and_bare_etags(store: Any):
    found = store.probe_conditional_writes()
    assert found.support is ConditionalWriteSupport.ATOMIC, found.reason
    assert found.bare_etags


def test_a_session_is_saved_updated_and_deleted(store: Any):
    session = session_of("s")
    store.save(session)
    stale = store.load("s")
    say(session, "more")
    store.save(session)
    with pytest.raises(SessionConflictError):
        store.save(stale)
    store.save(stale, overwrite=True)
    store.delete("s")
    assert store.list() == []


def test_of_saves_of_one_version_at_once_one_wins(store: Any):
    store.save(session_of("s"))
    for _ in range(5):
        loaded = [store.load("s") for _ in range(WRITERS)]
        for number, session in enumerate(loaded):
            say(session, f"{number}")
        results = at_once([lambda session=session: store.save(session) for session in loaded])
        assert results.count(None) == 1
        assert all(isinstance(result, SessionConflictError) for result in results if result is not None)
