"""Buckets that are wrong in one way each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from sessionbucket import (
    Absent,
    Anything,
    AsyncMemoryBucket,
    Match,
    ObjectInfo,
    ObjectPage,
    PreconditionFailedError,
    StoredObject,
)
from sessionbucket._concurrency.asyncio_ import sleep
from sessionbucket._core.objects import holds

PAUSE = 0.002
UNCONDITIONAL = Anything()


class NotAtomic(AsyncMemoryBucket):
    """Compares, and then writes; another writer has time to do so in between."""

    async def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        there = await self.head(key)
        if not holds(condition, there.version if there else None):
            raise PreconditionFailedError(key, location=self.location)
        if not isinstance(condition, Anything):
            await sleep(PAUSE)
        return await super().put(key, body, **rest)


class IgnoresConditions(AsyncMemoryBucket):
    """Takes a condition and does not look at it."""

    async def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        return await super().put(key, body, **rest)


class TakesMatchForAbsent(AsyncMemoryBucket):
    """Lets a put with ``Match`` create what was deleted."""

    async def put(self, key: str, body: bytes, *, condition: Any = UNCONDITIONAL, **rest: Any) -> str:
        if isinstance(condition, Match) and await self.head(key) is None:
            condition = Absent()
        return await super().put(key, body, condition=condition, **rest)


class ListsUnsorted(AsyncMemoryBucket):
    """Gives the rows of a page in another order."""

    async def list_page(self, prefix: str, **arguments: Any) -> ObjectPage:
        page = await super().list_page(prefix, **arguments)
        return replace(page, objects=page.objects[::-1], folders=page.folders[::-1])


class SortsByUtf16(AsyncMemoryBucket):
    """Gives the rows of a page in the order of UTF-16, as many databases have it."""

    async def list_page(self, prefix: str, **arguments: Any) -> ObjectPage:
        page = await super().list_page(prefix, **arguments)
        return replace(page, objects=sorted(page.objects, key=lambda info: info.key.encode("utf-16-be")))


class ListsTheStartAgain(AsyncMemoryBucket):
    """Takes ``start_after`` for the first row of the page."""

    async def list_page(self, prefix: str, *, start_after: str = "", **arguments: Any) -> ObjectPage:
        page = await super().list_page(prefix, start_after=start_after, **arguments)
        there = await self.head(start_after) if start_after.startswith(prefix) else None
        return replace(page, objects=[there, *page.objects]) if there else page


class LosesTheContentType(AsyncMemoryBucket):
    """Drops the content type of a put."""

    async def put(self, key: str, body: bytes, *, content_type: str = "", **rest: Any) -> str:
        return await super().put(key, body, **rest)


class LosesTheMetadata(AsyncMemoryBucket):
    """Drops the metadata of a put."""

    async def put(self, key: str, body: bytes, *, metadata: Any = None, **rest: Any) -> str:
        return await super().put(key, body, **rest)


class HeadIsStale(AsyncMemoryBucket):
    """Gives, as the version of an object, the one before it."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, ObjectInfo | None] = {}

    async def put(self, key: str, body: bytes, **arguments: Any) -> str:
        before = await super().head(key)
        version = await super().put(key, body, **arguments)
        self._before[key] = before
        return version

    async def delete(self, keys: Sequence[str]) -> None:
        await super().delete(keys)
        for key in keys:
            self._before.pop(key, None)

    async def head(self, key: str) -> ObjectInfo | None:
        now, before = await super().head(key), self._before.get(key)
        return now._replace(version=before.version) if now and before else now


class IgnoresTheLimit(AsyncMemoryBucket):
    """Gives bodies of any size."""

    async def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        return await super().get(key, max_bytes=1 << 30)


class DeletesTooMuch(AsyncMemoryBucket):
    """Takes the keys of a delete for prefixes."""

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            page = await self.list_page(key, limit=self.page_limit)
            await super().delete([info.key for info in page.objects])


class KeepsHalfAStream(AsyncMemoryBucket):
    """Puts what has come of a stream before its source broke."""

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], **arguments: Any) -> None:
        body = bytearray()
        try:
            async for chunk in chunks:
                body += chunk
        finally:
            await self.put(key, bytes(body), content_type=arguments.get("content_type", ""))
