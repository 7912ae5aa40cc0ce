"""Encrypting the objects of a store again: after a rotation of its keys, or for the first time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

from sessionbucket._async.bucket_listing import list_pages
from sessionbucket._async.conditional_write_support import AsyncSupportProbe
from sessionbucket._async.documents import AsyncConditionalWriter, retry_after_conflicts
from sessionbucket._async.store import AsyncSessionStore
from sessionbucket._async.wrappers.encrypting import AsyncEncryptingBucket
from sessionbucket._async.wrappers.retrying import AsyncRetryingBucket
from sessionbucket._concurrency.asyncio_ import closing, gather
from sessionbucket._core.arguments import check_kind
from sessionbucket._core.inventory import FILES
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import COPY_BYTES, ObjectInfo, StoredObject
from sessionbucket._core.pagination import check_concurrency
from sessionbucket._core.results import ReencryptOutcome, ReencryptResult
from sessionbucket._core.write_ids import HISTORY_ENTRY, written_version
from sessionbucket.errors import (
    BucketNotFoundError,
    ConflictError,
    InvalidArgumentError,
    SessionBucketError,
    StoreUnavailableError,
)

_STREAMED_BYTES = 8 * 1024 * 1024
"""Files above this size are streamed."""

_DEFAULT_TYPE = "application/octet-stream"


async def reencrypt_async_store(
    store: AsyncSessionStore[Any], *, prefix: str = "", concurrency: int = 8
) -> AsyncGenerator[ReencryptResult, None]:
    """Encrypt every object again that is not encrypted with the current key of the store, ``concurrency`` objects at a time.

    With ``prefix``, these are the sessions whose ids start with it, with their parts and files; without it, every object of the store.
    Objects that are not encrypted at all are encrypted if the store is open with ``accept_plain=True``. It is safe to repeat and to
    interrupt. Yields the result of each object, in the order of the keys; an object that cannot be read does not stop the others.

    An object is rewritten as a new version, on the condition that it has not changed, and from a fresh read after a conflict. So a
    session that another worker has loaded conflicts when that worker saves it; its ``update`` repeats the change. The condition
    of a file above 8 MiB is compared when its last chunk has been sent. On a versioned bucket, the older versions keep their keys.

    Raises ``StoreUnavailableError`` and ``BucketNotFoundError`` at once, and ``InvalidArgumentError`` for a store that is not
    encrypted and a ``concurrency`` below 1.
    """
    check_kind("store", store, AsyncSessionStore)
    check_concurrency(concurrency)
    if not isinstance(store.bucket, AsyncEncryptingBucket):
        raise InvalidArgumentError(
            "store is refused: it is not encrypted; open it with its keys (encryption=…)"
        )
    reencryption = _AsyncReencryption(store.bucket)
    async for objects in reencryption.pages(prefix):
        calls = [partial(reencryption.result, info) for info in objects]
        for result in await gather(calls, limit=concurrency):
            if result is not None:
                yield result


class _AsyncReencryption:
    """Encrypts single objects again; several at a time."""

    def __init__(self, bucket: AsyncEncryptingBucket) -> None:
        self._bucket = bucket
        self._keys = StoreKeys(bucket.prefix)
        self._retrying = AsyncRetryingBucket(bucket)
        support = AsyncSupportProbe(self._retrying, f"{self._keys.bookkeeping}probe/")
        self._writer = AsyncConditionalWriter(bucket, support)

    async def pages(self, prefix: str) -> AsyncGenerator[list[ObjectInfo], None]:
        """The objects to look at, page by page."""
        if not prefix:
            async for page in list_pages(self._retrying, self._keys.root):
                yield page.objects
            return
        async for page in list_pages(self._retrying, self._keys.id_prefix(prefix), delimiter="/"):
            yield page.objects
        for folder in self._keys.part_prefixes(prefix):
            async for page in list_pages(self._retrying, folder):
                yield page.objects

    async def result(self, info: ObjectInfo) -> ReencryptResult | None:
        """Encrypt one object again. Returns None for an object that is deleted meanwhile."""
        try:
            outcome = await retry_after_conflicts(
                partial(self._once, info), attempts=10, location=self._bucket.location
            )
        except (StoreUnavailableError, BucketNotFoundError):
            raise
        except SessionBucketError as error:
            return ReencryptResult(info.key, "failed", str(error))
        return outcome and ReencryptResult(info.key, outcome)

    async def _once(self, info: ObjectInfo) -> ReencryptOutcome | None:
        start = await self._bucket.start(info.key)
        if start is None or info.key.endswith("/"):  # SeaweedFS lists an empty folder as an object
            return None
        if await self._bucket.has_current_key(start):
            return "current"
        if info.size > _STREAMED_BYTES and self._is_file(info.key):
            return await self._stream(start)
        found = await self._retrying.get(info.key, max_bytes=COPY_BYTES)
        if found is None:
            return None
        metadata = {name: value for name, value in found.info.metadata.items() if name != HISTORY_ENTRY}
        await self._writer.write(
            info.key,
            found.body,
            written_version(found.info),
            content_type=found.info.content_type or _DEFAULT_TYPE,
            metadata=metadata,
        )
        return "encrypted"

    def _is_file(self, key: str) -> bool:
        return key.startswith(self._keys.part_folders) and self._keys.part(key)[0] == FILES

    async def _stream(self, start: StoredObject) -> ReencryptOutcome | None:
        key = start.info.key
        stream = await self._bucket.get_stream(key)
        if stream is None:
            return None

        async def chunks() -> AsyncGenerator[bytes, None]:
            async for chunk in stream.chunks:
                yield chunk
            now = await self._bucket.start(key)
            if now is None or now.info.version != start.info.version:
                raise ConflictError(key, location=self._bucket.location)

        async with closing(stream.chunks):
            await self._bucket.put_stream(
                key, chunks(), size=stream.info.size, content_type=stream.info.content_type or _DEFAULT_TYPE
            )
        return "encrypted"
