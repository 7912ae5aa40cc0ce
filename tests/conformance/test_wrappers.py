"""Bucket wrappers: a wrapper that changes bytes passes the suite of buckets, and ``request`` gets every method."""

from __future__ import annotations

import zlib
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, get_args

import pytest

from conformance.conftest import Opener
from conformance.samples import artifacts_of, event_of, say, session_of, texts_of
from conformance.suites import AsyncBucketSuite, BucketSuite
from conformance.wrapped_buckets import (
    AsyncCompressingBucket,
    AsyncCountingBucket,
    CompressingBucket,
    CountingBucket,
)
from sessionbucket import AsyncBucket, Bucket, NotSupportedError, Operation, SessionStore


class TestCompressingBucket(BucketSuite):
    rounds_on_a_server = 1  # a wrapper takes no part in a race

    def wrapped(self, bucket: Bucket) -> Bucket:
        return CompressingBucket(bucket)


class TestAsyncCompressingBucket(AsyncBucketSuite):
    rounds_on_a_server = 1

    def wrapped(self, bucket: AsyncBucket) -> AsyncBucket:
        return AsyncCompressingBucket(bucket)


@pytest.fixture
def compressing(opener: Opener) -> Any:
    return opener.side.wrapper(opener.bucket(), CompressingBucket, AsyncCompressingBucket)


@pytest.fixture
def counting(opener: Opener) -> Any:
    return opener.side.wrapper(opener.bucket(), CountingBucket, AsyncCountingBucket)


def test_a_store_works_on_a_bucket_that_changes_every_body(compressing: Any, opener: Opener):
    store: SessionStore[Any] = opener.side.store(compressing, opener.location.key(""))
    session = session_of("s", "text " * 1000)
    store.save_turn(session, artifacts=artifacts_of("output"), trace_events=[event_of("x")])
    say(session, "more")
    store.save(session)
    store.put_file("s", "large.bin", b"x" * (9 << 20))
    assert texts_of(store.load("s")) == ["text " * 1000, "more"]
    assert store.load_artifacts("s") == artifacts_of("output")
    with store.open_file("s", "large.bin") as file:
        assert file.read() == b"x" * (9 << 20)
    assert len(opener.read("s.json")) < 1000
    assert b'"id": "s"' in zlib.decompress(opener.read("s.json"))
    assert list(store.check()) == []
    store.delete("s")
    assert opener.names() == []


def test_a_wrapper_may_refuse_presigned_urls(compressing: Any, opener: Opener):
    with pytest.raises(NotSupportedError, match="compressed"):
        opener.side.store(compressing).presign_file("s", "x", timedelta(hours=1))


def test_every_method_of_the_port_passes_request(counting: Any, opener: Opener):
    key = opener.location.key("key")

    def chunks() -> Any:
        yield b"x"

    counting.put(key, b"x")
    counting.get(key, max_bytes=10)
    counting.head(key)
    counting.exists(key)
    counting.list_page(key)
    counting.put_stream(key, chunks())
    counting.get_stream(key).chunks.close()
    with suppress(NotSupportedError):
        counting.presign(key, expires_in=timedelta(hours=1), filename="x")
    counting.remove_temporary(counting.temporary_objects(opener.location.key("")))
    for ask in (
        counting.keeps_versions,
        partial(counting.list_versions, key),
        partial(counting.get_version, key, "x", max_bytes=10),
        partial(counting.erase, []),
    ):
        with suppress(NotSupportedError):
            ask()
    counting.copy(key, key + "2")
    with suppress(NotSupportedError):
        counting.delete_if(key + "2", counting.inner.head(key + "2").version)
    counting.delete([key, key + "2"])
    assert counting.counts == dict.fromkeys(get_args(Operation), 1)
    counting.close()
    assert counting.counts.total() == len(get_args(Operation))


def test_a_wrapper_counts_the_requests_of_a_store(counting: Any, opener: Opener):
    store: SessionStore[Any] = opener.side.store(counting, opener.location.key(""))
    store.probe_conditional_writes()
    counting.counts.clear()
    session = session_of("s")
    store.save(session)
    look = int(counting.capabilities.is_folder)  # a folder is also searched for snapshots of a3s-code
    assert counting.counts == Counter(put=1, list_page=look)
    store.load("s")
    assert counting.counts == Counter(put=1, list_page=look, get=1 + look)
    store.list()
    assert counting.counts == Counter(put=1, list_page=1 + look, get=1 + look)


def test_wrappers_can_be_nested(counting: Any, opener: Opener):
    outer = opener.side.wrapper(counting, CompressingBucket, AsyncCompressingBucket)
    assert (outer.name, outer.location) == (counting.name, counting.location)
    key = opener.location.key("key")
    outer.put(key, b"body")
    assert outer.get(key, max_bytes=10).body == b"body"
    assert zlib.decompress(counting.get(key, max_bytes=100).body) == b"body"
    assert counting.counts == {"put": 1, "get": 2}
