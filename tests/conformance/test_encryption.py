"""Encrypted stores pass the suites of buckets and stores, and keep every body and its metadata secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from both_sides import SyncSide
from conformance.conftest import NATIVE_ASYNC, Clients, Opener
from conformance.locations import Location
from conformance.suites import AsyncBucketSuite, BucketSuite
from sessionbucket import (
    AsyncBucket,
    AsyncEncryptingBucket,
    AsyncSessionStore,
    Bucket,
    EncryptingBucket,
    Keyring,
    SessionStore,
)
from sessionbucket.testing.conformance import AsyncStoreConformance, StoreConformance

KEYS = Keyring({"2026": bytes(range(32)), "2025": bytes(32)}, primary="2026")


class TestEncryptingBucket(BucketSuite):
    rounds_on_a_server = 1  # a wrapper takes no part in a race

    def wrapped(self, bucket: Bucket) -> Bucket:
        return EncryptingBucket(bucket, KEYS)


class TestAsyncEncryptingBucket(AsyncBucketSuite):
    rounds_on_a_server = 1

    def wrapped(self, bucket: AsyncBucket) -> AsyncBucket:
        return AsyncEncryptingBucket(bucket, KEYS)


class TestEncryptedStore(StoreConformance):
    race_rounds = 2

    @pytest.fixture
    def store_factory(
        self, location: Location, sides: dict[str, SyncSide], clients: Clients
    ) -> Callable[[], SessionStore[Any]]:
        opener, prefix = Opener(sides["sync"], location, clients), location.key("")
        return lambda: SessionStore(EncryptingBucket(opener.bucket(), KEYS, prefix), prefix)


@pytest.mark.asyncio(loop_scope="module")
class TestAsyncEncryptedStore(AsyncStoreConformance):
    race_rounds = 2

    @pytest.fixture
    def store_factory(
        self, location: Location, native_clients: Clients
    ) -> Callable[[], AsyncSessionStore[Any]]:
        opener, prefix = Opener(NATIVE_ASYNC, location, native_clients), location.key("")
        return lambda: AsyncSessionStore(AsyncEncryptingBucket(opener.bucket(), KEYS, prefix), prefix)
