"""The store: the health check."""

from __future__ import annotations

from typing import Any

import pytest

from conformance._async.conftest import Opener, client_session
from conformance.locations import FILE, MEMORY, OBSTORE, SEAWEEDFS, unique_name
from conformance.samples import session_of
from sessionbucket import (
    AsyncFileBucket,
    AsyncObstoreBucket,
    AsyncS3Bucket,
    AsyncSessionStore,
    BucketNotFoundError,
)


async def test_a_healthy_store_passes_and_is_left_as_it_was(
    async_store: AsyncSessionStore[Any], opener: Opener
):
    await async_store.health_check()
    assert await opener.names() == []
    await async_store.save(session_of("s"))
    await async_store.health_check()
    assert await opener.names() == ["s.json"]
    assert await async_store.list() == ["s"]


async def test_a_missing_bucket_or_folder_fails_by_that_name(opener: Opener):
    if opener.location.kind == MEMORY:
        pytest.skip("a store in memory is always there")
    missing = unique_name()
    bucket: Any
    if opener.location.kind == FILE:
        bucket = AsyncFileBucket(opener.location.root / missing, create=False)
    elif opener.location.engine == OBSTORE:
        bucket = AsyncObstoreBucket(
            missing, cloud=opener.location.cloud, endpoint_url=opener.location.endpoint_url
        )
    else:
        bucket = AsyncS3Bucket(missing, session=client_session(), endpoint_url=opener.location.endpoint_url)
    async with AsyncSessionStore(bucket) as store:
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
                await call()
            assert missing in str(caught.value)
            assert missing in caught.value.location
