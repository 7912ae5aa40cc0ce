"""Buckets, each of which is wrong in one way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import sleep
from typing import Any

from sessionbucket import (
    Always,
    IfAbsent,
    IfMatch,
    Kept,
    MemoryBucket,
    ObjectInfo,
    ObjectPage,
    ObjectVersion,
    PreconditionFailedError,
    StoredObject,
    VersionPage,
)

PAUSE = 0.002
UNCONDITIONAL = Always()


class NotAtomic(MemoryBucket):
    """Compares, and writes after a pause in which another writer can write."""

    def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        there = self.head(key)
        if not condition.holds(there.version if there else None):
            raise PreconditionFailedError(key, location=self.location)
        if not isinstance(condition, Always):
            sleep(PAUSE)
        return super().put(key, body, **rest)


class IgnoresConditions(MemoryBucket):
    """Accepts a condition and ignores it."""

    def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        return super().put(key, body, **rest)


class TreatsMatchAsAbsent(MemoryBucket):
    """Lets a put with ``IfMatch`` create a deleted object."""

    def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        if isinstance(condition, IfMatch) and self.head(key) is None:
            condition = IfAbsent()
        return super().put(key, body, condition=condition, **rest)


class ListsUnsorted(MemoryBucket):
    """Returns the rows of a page in another order."""

    def list_page(self, prefix: str, **arguments: Any) -> ObjectPage:
        page = super().list_page(prefix, **arguments)
        return page._replace(objects=page.objects[::-1], folders=page.folders[::-1])


class SortsByUtf16(MemoryBucket):
    """Returns the rows of a page in the order of UTF-16, as many databases do."""

    def list_page(self, prefix: str, **arguments: Any) -> ObjectPage:
        page = super().list_page(prefix, **arguments)
        return page._replace(objects=sorted(page.objects, key=lambda info: info.key.encode("utf-16-be")))


class ListsTheStartAgain(MemoryBucket):
    """Returns ``start_after`` as the first row of the page."""

    def list_page(self, prefix: str, *, start_after: str = "", **arguments: Any) -> ObjectPage:
        page = super().list_page(prefix, start_after=start_after, **arguments)
        there = self.head(start_after) if start_after.startswith(prefix) else None
        return page._replace(objects=[there, *page.objects]) if there else page


class LosesTheContentType(MemoryBucket):
    """Drops the content type of a put."""

    def put(self, key: str, body: bytes, *, content_type: str = "", **rest: Any) -> str:
        return super().put(key, body, **rest)


class LosesTheMetadata(MemoryBucket):
    """Drops the metadata of a put."""

    def put(self, key: str, body: bytes, *, metadata: Any = None, **rest: Any) -> str:
        return super().put(key, body, **rest)


class HeadIsStale(MemoryBucket):
    """Returns the previous version of an object."""

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
    """Returns bodies of any size."""

    def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        return super().get(key, max_bytes=1 << 30, first=first)


class CutsFirst(MemoryBucket):
    """Returns what one packet has of the first bytes."""

    def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        found = super().get(key, max_bytes=max_bytes, first=first)
        return found._replace(body=found.body[:65_536]) if found and first else found


class IgnoresFirst(MemoryBucket):
    """Returns the whole body to a get of its first bytes."""

    def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        return super().get(key, max_bytes=max_bytes)


class CopiesTheBodyAlone(MemoryBucket):
    """Copies an object without its content type and metadata."""

    def copy(self, source: str, target: str) -> bool:
        there = self.get(source, max_bytes=1 << 30)
        if there is None:
            return False
        self.put(target, there.body)
        return True


class CopiesAMissingKey(MemoryBucket):
    """Deletes the target of a copy whose source is missing."""

    def copy(self, source: str, target: str) -> bool:
        if not super().copy(source, target):
            self.delete([target])
        return True


class TakesTheStartForAFolder(MemoryBucket):
    """Leaves out a whole folder when a listing starts after its name with the slash."""

    def list_page(self, prefix: str, *, start_after: str = "", **arguments: Any) -> ObjectPage:
        after = start_after + "\U0010ffff" if start_after.endswith("/") else start_after
        return super().list_page(prefix, start_after=after, **arguments)


class DeletesTooMuch(MemoryBucket):
    """Treats the keys of a delete as prefixes."""

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            page = self.list_page(key, limit=self.capabilities.page_limit)
            super().delete([info.key for info in page.objects])


class KeepsHalfAStream(MemoryBucket):
    """Puts the chunks that arrived before the source of a stream failed."""

    def put_stream(self, key: str, chunks: Iterator[bytes], **arguments: Any) -> None:
        body = bytearray()
        try:
            for chunk in chunks:
                body += chunk
        finally:
            self.put(key, bytes(body), content_type=arguments.get("content_type", "text/plain"))


class _Versioned(MemoryBucket):
    """Keeps versions, correctly."""

    def __init__(self) -> None:
        super().__init__(keep_versions=True)


class ListsTheOldestVersionFirst(_Versioned):
    """Returns the versions of a key in the order in which they were put."""

    def list_versions(self, prefix: str, **arguments: Any) -> VersionPage:
        page = super().list_versions(prefix, **arguments)
        page.versions.reverse()
        page.versions.sort(key=lambda each: each.key.encode())
        return page


class ErasesTheKey(_Versioned):
    """Erases every version of the keys of the versions that it is given."""

    def erase(self, versions: Sequence[ObjectVersion], **arguments: Any) -> list[Kept]:
        for each in versions:
            page = self.list_versions(each.key)
            super().erase([found for found in page.versions if found.key == each.key])
        return []


class ReadsTheCurrentVersion(_Versioned):
    """Returns the current version to a get of any other."""

    def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        found = super().get_version(key, version_id, max_bytes=max_bytes)
        return found and (self.get(key, max_bytes=max_bytes) or found)
