"""The store: the health check."""

from __future__ import annotations

from typing import Any

import pytest

from conformance._sync.conftest import Opener, client_session
from conformance.locations import FILE, MEMORY, OBSTORE, SEAWEEDFS, unique_name
from conformance.samples import session_of
from sessionbucket import (
    BucketNotFoundError,
    FileBucket,
    ObstoreBucket,
    S3Bucket,
    SessionStore,
)


def test_a_healthy_store_passes_and_is_left_as_it_was(store: SessionStore[Any], opener: Opener):
    store.health_check()
    assert opener.names() == []
    store.save(session_of("s"))
    store.health_check()
    assert opener.names() == ["s.json"]
    assert store.list() == ["s"]


def test_a_missing_bucket_or_folder_fails_by_that_name(opener: Opener):
    if opener.location.kind == MEMORY:
        pytest.skip("a store in memory is always there")
    missing = unique_name()
    bucket: Any
    if opener.location.kind == FILE:
        bucket = FileBucket(opener.location.root / missing, create=False)
    elif opener.location.engine == OBSTORE:
        bucket = ObstoreBucket(
            missing, cloud=opener.location.cloud, endpoint_url=opener.location.endpoint_url
        )
    else:
        bucket = S3Bucket(missing, session=client_session(), endpoint_url=opener.location.endpoint_url)
    with SessionStore(bucket) as store:
        calls: list[Any] = [
            store.health_check,
            store.list,
            store.list_page,
            lambda: store.load("s"),
        ]
        if opener.location.kind != SEAWEEDFS:  # which makes a bucket that a PUT names
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
