"""The suites over correct and wrong backends. ``test_conformance`` runs them and checks which tests fail, and how."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sessionbucket import Always, AsyncBucket, Bucket, PreconditionFailedError
from sessionbucket.testing.conformance import (
    AsyncBucketConformance,
    BucketConformance,
    StoreConformance,
)
from testing import wrong_buckets, wrong_stores
from testing.bucket_adapter import AsyncBucketAdapter
from testing.sqlite_bucket import SqliteBucket
from testing.sqlite_store import RowSession, SqliteStore

UNCONDITIONAL = Always()


class SqliteBucketSuite(BucketConformance):
    kind: type[SqliteBucket] = SqliteBucket

    @pytest.fixture
    def bucket_factory(self, tmp_path: Path) -> Callable[[], Bucket]:
        return lambda: self.kind(tmp_path / "objects.db")

    def fill(self, keys: Sequence[str]) -> None:
        """In one transaction, because each waits for the disk."""
        with self.bucket._connected() as database, database:
            database.execute("BEGIN")
            rows = [(key, b"{}", key, datetime.now(UTC).isoformat(), "", "{}") for key in keys]
            database.executemany("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?)", rows)


class TestSqliteBucket(SqliteBucketSuite):
    pass


class ComparesAndThenWrites(SqliteBucket):
    """Compares in one transaction and writes in the next."""

    def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        there = self.head(key)
        if not condition.holds(there.version if there else None):
            raise PreconditionFailedError(key, location=self.location)
        return super().put(key, body, **rest)


class TestComparesAndThenWritesBucket(SqliteBucketSuite):
    kind = ComparesAndThenWrites


class SqliteStoreSuite(StoreConformance):
    kind: type[SqliteStore] = SqliteStore

    @pytest.fixture
    def store_factory(self, tmp_path: Path) -> Callable[[], SqliteStore]:
        return lambda: self.kind(tmp_path / "sessions.db")

    def new_session(self, id: str, *texts: str) -> RowSession:
        return RowSession(**dict(super().new_session(id, *texts)))


class TestSqliteStore(SqliteStoreSuite):
    pass


def classes_of(module: ModuleType) -> Iterator[type]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__ == module.__name__ and not kind.__name__.startswith("_"):
            yield kind


def suite(of: type, new_bucket: Callable[[], Bucket | AsyncBucket]) -> type:
    def bucket_factory(self: Any) -> Callable[[], Bucket | AsyncBucket]:
        bucket = new_bucket()
        return lambda: bucket

    return type("Suite", (of,), {"bucket_factory": pytest.fixture(bucket_factory)})


def adapted(kind: type[Bucket]) -> Callable[[], AsyncBucket]:
    return lambda: AsyncBucketAdapter(kind())


for kind in classes_of(wrong_buckets):
    globals()[f"Test{kind.__name__}"] = suite(BucketConformance, kind)
    globals()[f"TestAsync{kind.__name__}"] = suite(AsyncBucketConformance, adapted(kind))
for kind in classes_of(wrong_stores):
    globals()[f"Test{kind.__name__}Store"] = type("Suite", (SqliteStoreSuite,), {"kind": kind})
