"""A complete bucket of a user: objects in a table of SQLite. It passes the suite of ``sessionbucket.testing.conformance``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sessionbucket import (
    NO_METADATA,
    PAGE_LIMIT,
    Always,
    Bucket,
    Condition,
    ObjectInfo,
    ObjectPage,
    ObjectStream,
    ObjectTooLargeError,
    PreconditionFailedError,
    StoredObject,
    StoreUnavailableError,
)

COLUMNS = "key, length(body), updated_at, version, content_type, metadata"
CHUNK = 1 << 20
BUSY_SECONDS = 10


class SqliteBucket(Bucket):
    """Any number of processes on one machine may use the file concurrently."""

    name = "sqlite"

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()
        with self._connected() as database:
            database.execute("PRAGMA journal_mode = WAL")  # readers and a writer do not wait for each other
            database.execute(
                "CREATE TABLE IF NOT EXISTS objects (key TEXT PRIMARY KEY, body BLOB NOT NULL, version TEXT NOT NULL,"
                " updated_at TEXT NOT NULL, content_type TEXT NOT NULL, metadata TEXT NOT NULL)"
            )

    @property
    def location(self) -> str:
        return f"sqlite://{self._path}"

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection for one call, so that calls of several threads are in separate transactions."""
        try:
            database = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            raise StoreUnavailableError(str(error), location=self.location) from error

    def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        with self._connected() as database:
            database.execute("BEGIN")  # so that description and body are of one version
            info = _described(database, key)
            if info is None:
                return None
            size = min(info.size, first or info.size)
            if size > max_bytes:
                raise ObjectTooLargeError(key, size=size, limit=max_bytes)
            return StoredObject(info, _slice(database, key, 0, size))

    def head(self, key: str) -> ObjectInfo | None:
        with self._connected() as database:
            return _described(database, key)

    def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Always(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        version = uuid4().hex  # unique, so a deleted object's version never returns
        row = (key, body, version, datetime.now(UTC).isoformat(), content_type, json.dumps(dict(metadata)))
        with self._connected() as database:
            database.execute(
                "BEGIN IMMEDIATE"
            )  # so that no other writer comes between the comparison and the write
            there = _described(database, key)
            if not condition.holds(there.version if there else None):
                raise PreconditionFailedError(key, location=self.location)
            database.execute("REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)", row)
            database.execute("COMMIT")
        return version

    def delete(self, keys: Sequence[str]) -> None:
        with self._connected() as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("DELETE FROM objects WHERE key = ?", [(key,) for key in keys])
            database.execute("COMMIT")

    def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        # SQLite compares texts by their UTF-8 bytes, which is the order of a listing.
        query = f"SELECT {COLUMNS} FROM objects WHERE key >= ? ORDER BY key"
        page = ObjectPage([], [], None)
        last = ""
        with self._connected() as database:
            for row in database.execute(query, (max(prefix, start_after),)):
                key = row[0]
                if not key.startswith(prefix):
                    break
                cut = key.find(delimiter, len(prefix)) if delimiter else -1
                name = key if cut < 0 else key[: cut + len(delimiter)]
                if name in (start_after, last) or name < start_after:
                    continue
                if len(page.objects) + len(page.folders) == limit:
                    return ObjectPage(page.objects, page.folders, last)
                last = name
                if cut < 0:
                    page.objects.append(_info(row))
                else:
                    page.folders.append(name)
        return page

    def put_stream(
        self,
        key: str,
        chunks: Iterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        self.put(key, b"".join(chunks), content_type=content_type)  # SQLite accepts only whole values

    def get_stream(self, key: str) -> ObjectStream | None:
        chunks = self._chunks(key)
        info = next(chunks)
        if isinstance(info, ObjectInfo):
            return ObjectStream(info, chunks)
        chunks.close()
        return None

    def _chunks(self, key: str) -> Generator[ObjectInfo | bytes | None, None, None]:
        """The description of the object and then its body, read in one transaction."""
        with self._connected() as database:
            database.execute("BEGIN")
            info = _described(database, key)
            yield info
            for start in range(0, info.size if info else 0, CHUNK):
                yield _slice(database, key, start, CHUNK)


def _described(database: sqlite3.Connection, key: str) -> ObjectInfo | None:
    query = f"SELECT {COLUMNS} FROM objects WHERE key = ?"
    row = database.execute(query, (key,)).fetchone()
    return _info(row) if row else None


def _info(row: tuple[str, int, str, str, str, str]) -> ObjectInfo:
    key, size, updated_at, version, content_type, metadata = row
    return ObjectInfo(
        key, size, datetime.fromisoformat(updated_at), version, content_type, json.loads(metadata)
    )


def _slice(database: sqlite3.Connection, key: str, start: int, size: int) -> bytes:
    query = "SELECT substr(body, ?, ?) FROM objects WHERE key = ?"
    # An empty body gives None.
    return database.execute(query, (start + 1, size, key)).fetchone()[0] or b""
