"""The viewer cannot write, whatever its code does."""

from __future__ import annotations

from typing import get_args

import pytest

from sessionbucket import BucketCall, MemoryBucket, NotSupportedError, Operation
from sessionbucket.web.read_only import ReadOnlyBucket
from web.viewing import make_session

READS = {
    "get",
    "head",
    "exists",
    "list_page",
    "get_stream",
    "temporary_objects",
    "keeps_versions",
    "list_versions",
    "get_version",
}


@pytest.mark.parametrize("operation", [*get_args(Operation), "an operation of a later release"])
def test_only_reads_are_sent(operation):
    sent = []
    bucket = ReadOnlyBucket(MemoryBucket())
    call = BucketCall(operation, ("key",))
    if operation in READS:
        bucket.request(call, lambda: sent.append(call))
        assert sent == [call]
    else:
        with pytest.raises(NotSupportedError, match=f"{operation} is refused.*nothing was written"):
            bucket.request(call, lambda: sent.append(call))
        assert not sent


def test_no_page_sends_a_write(store, bucket, viewed):
    for number in range(40):  # with a catalog, and without
        store.save(make_session(f"s{number}"))
    del bucket.calls[:]
    pages = (
        "/",
        "/?sort=cost",
        "/?text=hello",
        "/usage",
        "/session?id=s1",
        "/session/forks?id=s1",
        "/session/history?id=s1",
    )
    for path in (
        *pages,
        "/session/files?id=s1",
        "/session/traces?id=s1",
        "/session/reports?id=s1",
        "/session/raw?id=s1",
    ):
        viewed.get(path)
    assert {call.operation for call in bucket.calls} <= READS


def test_the_catalog_of_summaries_is_read_and_not_written(store, bucket, viewed):
    for number in range(40):
        store.save(make_session(f"s{number}"))
    assert len(viewed.ids(sort="title")) == 40
    list(store.summaries())  # writes the catalog
    del bucket.calls[:]
    assert len(viewed.ids()) == 40
    assert "head" not in {call.operation for call in bucket.calls}
