"""The base class of buckets that wrap another bucket: every request passes one hook."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from sessionbucket._async.bucket import AsyncBucket, AsyncObjectStream
from sessionbucket._core.arguments import check_kind, check_object_infos
from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Always,
    BucketCall,
    Capabilities,
    Condition,
    IfMatch,
    Kept,
    ObjectInfo,
    ObjectPage,
    ObjectVersion,
    StoredObject,
    VersionPage,
)

T = TypeVar("T")


class AsyncBucketWrapper(AsyncBucket):
    """A bucket over another bucket, ``inner``, with the same name, location and capabilities. It changes nothing by itself.

    A subclass that concerns every request overrides ``request``. A subclass that changes bytes overrides ``get``, ``put``,
    ``get_stream``, ``put_stream`` and ``get_version``, and ``copy`` if its bytes depend on the key.
    """

    def __init__(self, inner: AsyncBucket) -> None:
        check_kind("inner", inner, AsyncBucket)
        self.inner = inner
        self.name = inner.name

    @property
    def location(self) -> str:
        return self.inner.location

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    @property
    def sends_bare_etags(self) -> bool:
        return self.inner.sends_bare_etags

    @sends_bare_etags.setter
    def sends_bare_etags(self, value: bool) -> None:
        self.inner.sends_bare_etags = value

    async def request(self, call: BucketCall, send: Callable[[], Awaitable[T]]) -> T:
        """Send one request. Every method but ``close`` passes through here.

        A subclass may send it several times or not at all, and may act before and after it.
        """
        return await send()

    async def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        return await self.request(
            BucketCall("get", (key,)), lambda: self.inner.get(key, max_bytes=max_bytes, first=first)
        )

    async def head(self, key: str) -> ObjectInfo | None:
        return await self.request(BucketCall("head", (key,)), lambda: self.inner.head(key))

    async def exists(self, key: str) -> bool:
        return await self.request(BucketCall("exists", (key,)), lambda: self.inner.exists(key))

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Always(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        return await self.request(
            BucketCall("put", (key,), condition),
            lambda: self.inner.put(
                key, body, condition=condition, content_type=content_type, metadata=metadata
            ),
        )

    async def copy(self, source: str, target: str) -> bool:
        return await self.request(
            BucketCall("copy", (source, target)), lambda: self.inner.copy(source, target)
        )

    async def delete(self, keys: Sequence[str]) -> None:
        await self.request(BucketCall("delete", keys), lambda: self.inner.delete(keys))

    async def delete_if(self, key: str, version: str) -> None:
        await self.request(
            BucketCall("delete_if", (key,), IfMatch(version)), lambda: self.inner.delete_if(key, version)
        )

    async def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        return await self.request(
            BucketCall("list_page", (prefix,)),
            lambda: self.inner.list_page(prefix, delimiter=delimiter, start_after=start_after, limit=limit),
        )

    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        await self.request(
            BucketCall("put_stream", (key,)),
            lambda: self.inner.put_stream(key, chunks, size=size, content_type=content_type),
        )

    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        return await self.request(BucketCall("get_stream", (key,)), lambda: self.inner.get_stream(key))

    async def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        return await self.request(
            BucketCall("presign", (key,)),
            lambda: self.inner.presign(key, expires_in=expires_in, filename=filename),
        )

    async def temporary_objects(self, prefix: str) -> list[ObjectInfo]:
        return await self.request(
            BucketCall("temporary_objects", (prefix,)), lambda: self.inner.temporary_objects(prefix)
        )

    async def remove_temporary(self, objects: Sequence[ObjectInfo]) -> None:
        check_object_infos(objects)
        keys = [each.key for each in objects]
        await self.request(BucketCall("remove_temporary", keys), lambda: self.inner.remove_temporary(objects))

    async def keeps_versions(self) -> bool:
        return await self.request(BucketCall("keeps_versions", ("",)), self.inner.keeps_versions)

    async def list_versions(
        self, prefix: str, *, start_after: tuple[str, str] = ("", ""), limit: int = PAGE_LIMIT
    ) -> VersionPage:
        return await self.request(
            BucketCall("list_versions", (prefix,)),
            lambda: self.inner.list_versions(prefix, start_after=start_after, limit=limit),
        )

    async def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        return await self.request(
            BucketCall("get_version", (key,)),
            lambda: self.inner.get_version(key, version_id, max_bytes=max_bytes),
        )

    async def erase(
        self, versions: Sequence[ObjectVersion], *, bypass_governance: bool = False
    ) -> list[Kept]:
        keys = [each.key for each in versions]
        return await self.request(
            BucketCall("erase", keys),
            lambda: self.inner.erase(versions, bypass_governance=bypass_governance),
        )

    async def close(self) -> None:
        await self.inner.close()
