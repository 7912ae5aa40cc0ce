"""A sync bucket as an async one, so that a bucket of a test is written once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

from both_sides import Blocking, each_in_thread
from sessionbucket import (
    AsyncBucket,
    AsyncObjectStream,
    Bucket,
    Capabilities,
    Kept,
    ObjectInfo,
    ObjectPage,
    ObjectVersion,
    StoredObject,
    VersionPage,
)


class AsyncBucketAdapter(AsyncBucket):
    """A sync bucket whose calls run in threads, so that calls of several tasks are concurrent."""

    def __init__(self, inner: Bucket) -> None:
        self.inner = inner
        self.name = inner.name

    @property
    def location(self) -> str:
        return self.inner.location

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        return await asyncio.to_thread(self.inner.get, key, max_bytes=max_bytes, first=first)

    async def head(self, key: str) -> ObjectInfo | None:
        return await asyncio.to_thread(self.inner.head, key)

    async def put(self, key: str, body: bytes, **options: Any) -> str:
        return await asyncio.to_thread(self.inner.put, key, body, **options)

    async def copy(self, source: str, target: str) -> bool:
        return await asyncio.to_thread(self.inner.copy, source, target)

    async def delete(self, keys: Sequence[str]) -> None:
        await asyncio.to_thread(self.inner.delete, keys)

    async def keeps_versions(self) -> bool:
        return self.inner.keeps_versions()

    async def list_versions(self, prefix: str, **options: Any) -> VersionPage:
        return self.inner.list_versions(prefix, **options)

    async def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        return self.inner.get_version(key, version_id, max_bytes=max_bytes)

    async def erase(self, versions: Sequence[ObjectVersion], **options: Any) -> list[Kept]:
        return self.inner.erase(versions, **options)

    async def list_page(self, prefix: str, **options: Any) -> ObjectPage:
        return await asyncio.to_thread(self.inner.list_page, prefix, **options)

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], **options: Any) -> None:
        loop = asyncio.get_running_loop()
        iterator = Blocking(chunks, lambda work: asyncio.run_coroutine_threadsafe(work, loop).result())
        await asyncio.to_thread(self.inner.put_stream, key, iterator, **options)

    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        stream = await asyncio.to_thread(self.inner.get_stream, key)
        return AsyncObjectStream(stream.info, each_in_thread(stream.chunks)) if stream else None

    async def temporary_objects(self, prefix: str) -> list[ObjectInfo]:
        return await asyncio.to_thread(self.inner.temporary_objects, prefix)

    async def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        return self.inner.presign(key, expires_in=expires_in, filename=filename)

    async def close(self) -> None:
        self.inner.close()
