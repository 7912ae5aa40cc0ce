"""The store: the health check."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.conftest import Opener, new_bucket
from conformance.locations import FILE, MEMORY, SEAWEEDFS, unique_name
from conformance.samples import session_of
from sessionbucket import BucketNotFoundError, SessionStore


def test_a_healthy_store_passes_and_stays_as_it_was(store: SessionStore[Any], opener: Opener):
    store.health_check()
    assert opener.names() == []
    store.save(session_of("s"))
    store.health_check()
    assert opener.names() == ["s.json"]
    assert store.list() == ["s"]


def test_a_missing_bucket_or_folder_raises_an_error_with_its_name(opener: Opener):
    if opener.location.kind == MEMORY:
        pytest.skip("a store in memory always exists")
    missing = unique_name()
    if opener.location.kind == FILE:
        bucket = opener.side.file_bucket(opener.location.root / missing, create=False)
    else:
        bucket = new_bucket(opener.side, opener.location, missing)
    with opener.side.store(bucket) as store:
        calls: list[Any] = [
            store.health_check,
            store.list,
            store.list_page,
            lambda: store.load("s"),
        ]
        if opener.location.kind != SEAWEEDFS:  # it creates the bucket of a PUT
            calls += [
                lambda: store.save(session_of("s")),
                lambda: store.put_file("s", "name", b"x"),
                lambda: store.put_file("s", "name", b"x" * (9 << 20)),
            ]
        for call in calls:
            with pytest.raises(BucketNotFoundError) as caught:
                call()
            assert missing in str(caught.value)
            assert missing in caught.value.location
