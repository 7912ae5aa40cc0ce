"""Buckets that are wrong in one way each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sessionbucket import (
    Absent,
    Anything,
    Match,
    MemoryBucket,
    ObjectInfo,
    ObjectPage,
    PreconditionFailedError,
    StoredObject,
)
from sessionbucket._concurrency.threads import sleep
from sessionbucket._core.objects import holds

PAUSE = 0.002
UNCONDITIONAL = Anything()


class NotAtomic(MemoryBucket):
    """Compares, and then writes; another writer has time to do so in between."""

    def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        there = self.head(key)
        if not holds(condition, there.version if there else None):
            raise PreconditionFailedError(key, location=self.location)
        if not isinstance(condition, Anything):
            sleep(PAUSE)
        return super().put(key, body, **rest)


class IgnoresConditions(MemoryBucket):
    """Takes a condition and does not look at it."""

    def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        return super().put(key, body, **rest)


class TakesMatchForAbsent(MemoryBucket):
    """Lets a put with ``Match`` create what was deleted."""

    def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        if isinstance(condition, Match) and self.head(key) is None:
            condition = Absent()
        return super().put(key, body, condition=condition, **rest)


class ListsUnsorted(MemoryBucket):
    """Gives the rows of a page in another order."""

    def list_page(self, prefix: str, **arguments: Any) -> ObjectPage:
        page = super().list_page(prefix, **arguments)
        return replace(page, objects=page.objects[::-1], folders=page.folders[::-1])


class SortsByUtf16(MemoryBucket):
    """Gives the rows of a page in the order of UTF-16, as many databases have it."""

    def list_page(self, prefix: str, **arguments: Any) -> ObjectPage:
        page = super().list_page(prefix, **arguments)
        return replace(page, objects=sorted(page.objects, key=lambda info: info.key.encode("utf-16-be")))


class ListsTheStartAgain(MemoryBucket):
    """Takes ``start_after`` for the first row of the page."""

    def list_page(self, prefix: str, *, start_after: str = "", **arguments: Any) -> ObjectPage:
        page = super().list_page(prefix, start_after=start_after, **arguments)
        there = self.head(start_after) if start_after.startswith(prefix) else None
        return replace(page, objects=[there, *page.objects]) if there else page


class LosesTheContentType(MemoryBucket):
    """Drops the content type of a put."""

    def put(self, key: str, body: bytes, *, content_type: str = "", **rest: Any) -> str:
        return super().put(key, body, **rest)


class LosesTheMetadata(MemoryBucket):
    """Drops the metadata of a put."""

    def put(self, key: str, body: bytes, *, metadata: Any = None, **rest: Any) -> str:
        return super().put(key, body, **rest)


class HeadIsStale(MemoryBucket):
    """Gives, as the version of an object, the one before it."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, ObjectInfo | None] = {}

    def put(self, key: str, body: bytes, **arguments: Any) -> str:
        before = super().head(key)
        version = super().put(key, body, **arguments)
        self._before[key] = before
        return version

    def delete(self, keys: Sequence[str]) -> None:
        super().delete(keys)
        for key in keys:
            self._before.pop(key, None)

    def head(self, key: str) -> ObjectInfo | None:
        now, before = super().head(key), self._before.get(key)
        return now._replace(version=before.version) if now and before else now


class IgnoresTheLimit(MemoryBucket):
    """Gives bodies of any size."""

    def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        return super().get(key, max_bytes=1 << 30)


class DeletesTooMuch(MemoryBucket):
    """Takes the keys of a delete for prefixes."""

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            page = self.list_page(key, limit=self.page_limit)
            super().delete([info.key for info in page.objects])


class KeepsHalfAStream(MemoryBucket):
    """Puts what has come of a stream before its source broke."""

    def put_stream(self, key: str, chunks: Iterator[bytes], **arguments: Any) -> None:
        body = bytearray()
        try:
            for chunk in chunks:
                body += chunk
        finally:
            self.put(key, bytes(body), content_type=arguments.get("content_type", ""))
