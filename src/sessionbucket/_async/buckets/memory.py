"""A bucket in memory: for tests, and the model to which the other buckets are compared."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import uuid4

from sessionbucket._async.bucket import AsyncBucket, AsyncObjectStream
from sessionbucket._backends.memory import MemoryObjects, named_objects
from sessionbucket._core.arguments import (
    check_copy,
    check_delete_if,
    check_get,
    check_get_version,
    check_key,
    check_keys,
    check_kind,
    check_listing,
    check_put,
    check_put_stream,
    check_version_listing,
    check_versions,
)
from sessionbucket._core.file_sources import CHUNK, checked
from sessionbucket._core.objects import (
    COPY_BYTES,
    NO_METADATA,
    PAGE_LIMIT,
    Always,
    Capabilities,
    Condition,
    Kept,
    ObjectInfo,
    ObjectPage,
    ObjectVersion,
    StoredObject,
    VersionPage,
    md5_version,
)
from sessionbucket._core.store_url import check_memory_name
from sessionbucket.errors import InvalidArgumentError


class AsyncMemoryBucket(AsyncBucket):
    """Objects in the memory of this process, with S3's versions, conditions and listing order.

    A bucket without a name is a location of its own. All buckets of one name, of both sides, have the same objects until the process
    ends. It is safe for several threads and tasks.
    """

    name = "memory"
    location: str = ""
    capabilities = Capabilities(conditional_deletes="trusted", page_limit=1_000_000)

    def __init__(self, name: str | None = None, *, keep_versions: bool = False) -> None:
        """``name`` is 1 to 100 ASCII letters, digits, ``.``, ``_`` and ``-``. With ``keep_versions``, which a bucket with a name
        refuses, the bucket is versioned, as a bucket of S3 can be.

        Raises ``InvalidArgumentError`` for any other name.
        """
        if name is None:
            self._objects = MemoryObjects(f"memory://{uuid4().hex}", keeps_versions=keep_versions)
        elif keep_versions:
            raise InvalidArgumentError("keep_versions is refused: a named bucket in memory keeps no versions")
        else:
            self._objects = named_objects(check_memory_name(name))
        self.location = self._objects.location

    async def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        check_get(key, max_bytes, first)
        return self._objects.get(key, max_bytes=max_bytes, first=first)

    async def head(self, key: str) -> ObjectInfo | None:
        check_key(key)
        found = self._objects.get(key, max_bytes=1, first=1)
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
        self._objects.put(StoredObject(info, bytes(body)), condition)
        return version

    async def copy(self, source: str, target: str) -> bool:
        check_copy(source, target)
        return self._objects.copy(source, target, datetime.now(UTC))

    async def delete(self, keys: Sequence[str]) -> None:
        check_keys(keys)
        for key in keys:
            self._objects.delete(key, datetime.now(UTC))

    async def delete_if(self, key: str, version: str) -> None:
        check_delete_if(key, version)
        self._objects.delete_if(key, version, datetime.now(UTC))

    async def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        check_listing(prefix, delimiter, start_after, limit)
        return self._objects.list_page(prefix, delimiter=delimiter, start_after=start_after, limit=limit)

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
        found = self._objects.get(key, max_bytes=COPY_BYTES, first=None)
        return AsyncObjectStream(found.info, _slices(found.body)) if found else None

    async def keeps_versions(self) -> bool:
        return self._objects.keeps_versions

    async def list_versions(
        self, prefix: str, *, start_after: tuple[str, str] = ("", ""), limit: int = PAGE_LIMIT
    ) -> VersionPage:
        check_version_listing(prefix, start_after, limit)
        if not self._objects.keeps_versions:
            raise self._without_versions()
        return self._objects.list_versions(prefix, start_after, limit)

    async def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        check_get_version(key, version_id, max_bytes)
        if not self._objects.keeps_versions:
            raise self._without_versions()
        return self._objects.get_version(key, version_id, max_bytes=max_bytes)

    async def erase(
        self, versions: Sequence[ObjectVersion], *, bypass_governance: bool = False
    ) -> list[Kept]:
        check_versions(versions)
        if not self._objects.keeps_versions:
            raise self._without_versions()
        for each in versions:
            self._objects.erase(each.key, each.version_id)
        return []


async def _slices(body: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]
