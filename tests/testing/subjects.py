"""The suites over right and wrong backends: run by ``test_conformance``, which looks at what fails and how."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sessionbucket import Anything, AsyncBucket, Bucket, PreconditionFailedError
from sessionbucket._core.objects import holds
from sessionbucket.testing.conformance import (
    AsyncBucketConformance,
    BucketConformance,
    StoreConformance,
)
from testing import wrong_stores
from testing._async import wrong_buckets as wrong_async_buckets
from testing._sync import wrong_buckets
from testing.sqlite_bucket import SqliteBucket
from testing.sqlite_store import RowSession, SqliteStore

UNCONDITIONAL = Anything()


class OfObjectsInRows(BucketConformance):
    kind: type[SqliteBucket] = SqliteBucket

    @pytest.fixture
    def bucket_factory(self, tmp_path: Path) -> Callable[[], Bucket]:
        return lambda: self.kind(tmp_path / "objects.db")

    def fill(self, keys: Sequence[str]) -> None:
        """In one transaction, since each waits for the disk."""
        with self.bucket._connected() as database, database:
            database.execute("BEGIN")
            rows = [(key, b"{}", key, datetime.now(UTC).isoformat(), "", "{}") for key in keys]
            database.executemany("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)", rows)


class TestSqliteBucket(OfObjectsInRows):
    pass


class ComparesAndThenWrites(SqliteBucket):
    """Two statements, each in a transaction of its own."""

    def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        there = self.head(key)
        if not holds(condition, there.version if there else None):
            raise PreconditionFailedError(key, location=self.location)
        return super().put(key, body, **rest)


class TestComparesAndThenWritesBucket(OfObjectsInRows):
    kind = ComparesAndThenWrites


class OfSessionsInRows(StoreConformance):
    kind: type[SqliteStore] = SqliteStore

    @pytest.fixture
    def store_factory(self, tmp_path: Path) -> Callable[[], SqliteStore]:
        return lambda: self.kind(tmp_path / "sessions.db")

    def new_session(self, id: str, *texts: str) -> RowSession:
        return RowSession(**dict(super().new_session(id, *texts)))


class TestSqliteStore(OfSessionsInRows):
    pass


def those_of(module: ModuleType) -> Iterator[type]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__ == module.__name__:
            yield kind


def suite(of: type, kind: type[Bucket | AsyncBucket]) -> type:
    def bucket_factory(self: Any) -> Callable[[], Bucket | AsyncBucket]:
        bucket = kind()
        return lambda: bucket

    return type("Suite", (of,), {"bucket_factory": pytest.fixture(bucket_factory)})


for kind in those_of(wrong_buckets):
    globals()[f"Test{kind.__name__}"] = suite(BucketConformance, kind)
for kind in those_of(wrong_async_buckets):
    globals()[f"TestAsync{kind.__name__}"] = suite(AsyncBucketConformance, kind)
for kind in those_of(wrong_stores):
    globals()[f"Test{kind.__name__}Store"] = type("Suite", (OfSessionsInRows,), {"kind": kind})
