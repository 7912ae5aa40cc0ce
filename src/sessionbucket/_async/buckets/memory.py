"""A bucket in memory: for tests, and the model to which the other buckets are compared."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from types import MappingProxyType
from uuid import uuid4

from sessionbucket._async.bucket import AsyncBucket, AsyncObjectStream
from sessionbucket._core.arguments import (
    check_delete_if,
    check_get,
    check_key,
    check_keys,
    check_kind,
    check_listing,
    check_put,
    check_put_stream,
)
from sessionbucket._core.file_sources import CHUNK, checked
from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Always,
    Capabilities,
    Condition,
    ObjectInfo,
    ObjectPage,
    StoredObject,
    md5_version,
)
from sessionbucket.errors import ObjectTooLargeError, PreconditionFailedError


class AsyncMemoryBucket(AsyncBucket):
    """Objects in the memory of this process, with S3's versions, conditions and listing order.

    Every bucket is a location of its own. It is safe for several threads and tasks.
    """

    name = "memory"
    location: str = ""
    capabilities = Capabilities(conditional_deletes="trusted", page_limit=1_000_000)

    def __init__(self) -> None:
        self.location = f"memory://{uuid4().hex}"
        self._objects: dict[str, StoredObject] = {}
        self._keys: list[bytes] = []
        self._lock = Lock()

    async def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        check_get(key, max_bytes)
        found = self._objects.get(key)
        if found is not None and found.info.size > max_bytes:
            raise ObjectTooLargeError(key, size=found.info.size, limit=max_bytes)
        return found

    async def head(self, key: str) -> ObjectInfo | None:
        check_key(key)
        found = self._objects.get(key)
        return found.info if found else None

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Always(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        check_put(key, body, condition, content_type, metadata)
        version = md5_version(body)
        info = ObjectInfo(
            key=key,
            size=len(body),
            updated_at=datetime.now(UTC),
            version=version,
            content_type=content_type,
            metadata=MappingProxyType(dict(metadata)),
        )
        with self._lock:
            found = self._objects.get(key)
            if not condition.holds(found.info.version if found else None):
                raise PreconditionFailedError(key, location=self.location, is_missing=found is None)
            if found is None:
                insort(self._keys, key.encode())
            self._objects[key] = StoredObject(info, bytes(body))
        return version

    async def delete(self, keys: Sequence[str]) -> None:
        check_keys(keys)
        for key in keys:
            with self._lock:
                if self._objects.pop(key, None) is not None:
                    del self._keys[bisect_left(self._keys, key.encode())]

    async def delete_if(self, key: str, version: str) -> None:
        check_delete_if(key, version)
        with self._lock:
            found = self._objects.get(key)
            if found is None:
                return
            if found.info.version != version:
                raise PreconditionFailedError(key, location=self.location)
            del self._objects[key]
            del self._keys[bisect_left(self._keys, key.encode())]

    async def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        check_listing(prefix, delimiter, start_after, limit)
        page = ObjectPage([], [], None)
        with self._lock:
            at = bisect_left(self._keys, max(prefix, start_after).encode())
            last = ""
            while at < len(self._keys):
                key = self._keys[at].decode()
                if not key.startswith(prefix):
                    break
                cut = key.find(delimiter, len(prefix)) if delimiter else -1
                row = key if cut < 0 else key[: cut + len(delimiter)]
                if row.encode() > start_after.encode():
                    if len(page.objects) + len(page.folders) == limit:
                        return ObjectPage(page.objects, page.folders, last)
                    last = row
                    if cut < 0:
                        page.objects.append(_listed(self._objects[key].info))
                    else:
                        page.folders.append(row)
                at = bisect_left(self._keys, row.encode() + b"\xff") if cut >= 0 else at + 1
        return page

    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        check_put_stream(key, size, content_type)
        check_kind("chunks", chunks, AsyncIterator)
        body = bytearray()
        async for chunk in chunks:
            body += checked(chunk)
        await self.put(key, bytes(body), content_type=content_type)

    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        check_key(key)
        found = self._objects.get(key)
        return AsyncObjectStream(found.info, _slices(found.body)) if found else None


def _listed(info: ObjectInfo) -> ObjectInfo:
    """The object as S3 lists it."""
    return ObjectInfo(info.key, info.size, info.updated_at, info.version)


async def _slices(body: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]
