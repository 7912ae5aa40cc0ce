"""A bucket that obstore reaches, which is written in Rust: on S3, Google Cloud Storage or Azure."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Unpack

from sessionbucket._async.bucket import AsyncBucket, AsyncObjectStream
from sessionbucket._async.buckets.obstore_integrity import AsyncIntegrity
from sessionbucket._async.wrappers.repeated import repeated
from sessionbucket._backends.obstore import requests
from sessionbucket._backends.obstore.checksums import PART_BYTES
from sessionbucket._backends.obstore.clients import Stores
from sessionbucket._backends.obstore.errors import (
    errors,
    failed_precondition,
    has_no_batch_delete,
    is_missing,
    translated,
    undeleted,
)
from sessionbucket._backends.obstore.listing import Page
from sessionbucket._backends.obstore.options import ObstoreOptions, check_obstore_options, location_of
from sessionbucket._backends.s3.options import patience_of
from sessionbucket._backends.s3.requests import DELETE_BATCH, conditional_writes, part_size
from sessionbucket._concurrency.asyncio_ import let_threads_end_at_exit
from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Anything,
    Condition,
    ObjectInfo,
    ObjectPage,
    PreconditionFailedError,
    StoredObject,
)
from sessionbucket._core.retry import ONCE
from sessionbucket._core.store_url import Cloud
from sessionbucket.errors import (
    DeleteIncompleteError,
    InvalidArgumentError,
    SessionBucketError,
    SessionTooLargeError,
)

CHUNK = 1 << 20
_PARTS_AT_ONCE = 2


class AsyncObstoreBucket(AsyncBucket):
    """One bucket of a cloud. obstore's client is made on first use and kept until ``close``.

    A process must not fork after that: the threads of obstore's runtime do not go with it.
    """

    def __init__(
        self, bucket: str, *, cloud: Cloud = "s3", session: Any = None, **options: Unpack[ObstoreOptions]
    ) -> None:
        """``cloud`` is ``"s3"``, ``"gs"`` for Google Cloud Storage or ``"az"`` for a container of Azure. ``session`` is
        a boto3 session to take the credentials from. ``options`` are those of ``S3Options`` but for
        ``expected_bucket_owner``, and on the other clouds those of ``CloudOptions``.

        Raises ``InvalidArgumentError`` for options that are unknown, bad, or contradict each other.
        """
        if not bucket or "/" in bucket:
            raise InvalidArgumentError(f"bucket {bucket!r} is refused: it must be a bucket's name")
        let_threads_end_at_exit()
        self._options = check_obstore_options(options, cloud, session=session)
        self._cloud = cloud
        self._location = location_of(bucket, cloud, self._options)
        self._stores = Stores(bucket, cloud, self._options, session, self._location)
        self._integrity = AsyncIntegrity(self._stores, cloud, self._location)
        self._batch_deletes = cloud == "s3"
        self.name = cloud
        self.patience = patience_of(self._options)
        self.conditional_writes = conditional_writes(self._options, self._location, trusted=f"{cloud}://")

    @property
    def location(self) -> str:
        return self._location

    async def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        found = await self._get(key, max_bytes)
        if found is None or await self._integrity.is_whole(found):
            return found
        again = await self._get(key, max_bytes)
        self._integrity.compare(found, again)
        return again

    async def _get(self, key: str, max_bytes: int) -> StoredObject | None:
        with translated(self.location, key):
            result = await self._result(key)
            if result is None:
                return None
            info = requests.described(key, result.meta, result.attributes, self._cloud)
            if info.size > max_bytes:
                raise SessionTooLargeError(key, size=info.size, limit=max_bytes)
            return StoredObject(info, bytes(await result.bytes_async()))

    async def head(self, key: str) -> ObjectInfo | None:
        with translated(self.location, key):
            result = await self._result(key, requests.HEAD)
            if result is None:
                return None
            return requests.described(key, result.meta, result.attributes, self._cloud)

    async def _result(self, key: str, options: Any = None) -> Any:
        try:
            return await self._stores.store().get_async(key, options=options)
        except FileNotFoundError as error:
            if is_missing(error):
                return None
            raise

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Anything(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        with translated(self.location, key, writing=True):
            store = self._stores.store(sending=len(body))
            try:
                answer = await store.put_async(
                    key,
                    body,
                    mode=requests.put_mode(condition),
                    attributes=self._attributes(content_type, metadata),
                    use_multipart=False,
                )
            except errors() as error:
                if not isinstance(condition, Anything) and failed_precondition(error):
                    raise PreconditionFailedError(key, location=self.location) from error
                raise
        version = requests.version_of(answer, self._cloud) or ""
        self._integrity.learn(body, version)
        return version

    def _attributes(self, content_type: str, metadata: Mapping[str, str]) -> dict[str, str]:
        return requests.attributes(content_type, metadata, self._options.get("storage_class"))

    async def delete(self, keys: Sequence[str]) -> None:
        left: dict[str, str] = {}
        for start in range(0, len(keys), DELETE_BATCH):
            batch = keys[start : start + DELETE_BATCH]
            failed = await self._delete_batch(batch) if len(batch) > 1 and self._batch_deletes else None
            left |= await self._delete_singly(batch) if failed is None else failed
        if left:
            reason = list(left.values())[-1]
            raise DeleteIncompleteError(list(left), location=self.location, reason=reason)

    async def _delete_batch(self, keys: Sequence[str]) -> dict[str, str] | None:
        """The keys that could not be deleted, each with the reason; None where the server has no such request."""
        with translated(self.location, writing=True):
            store = self._stores.store()
            try:
                await store.delete_async(keys)
            except errors() as error:
                left = undeleted(error)
                if left is not None:
                    return left | await self._still_there([key for key in keys if key not in left])
                if not has_no_batch_delete(error):
                    raise
                self._batch_deletes = False
                return None
        return {}

    async def _still_there(self, keys: Sequence[str]) -> dict[str, str]:
        return {key: "not deleted" for key in keys if await self.head(key)}

    async def _delete_singly(self, keys: Sequence[str]) -> dict[str, str]:
        failed: dict[str, str] = {}
        # The store repeats a whole call, but not one that names the keys it could not delete.
        patience = self.patience if len(keys) > 1 else ONCE
        for key in keys:
            try:
                await repeated(partial(self._delete_one, key), patience)
            except SessionBucketError as error:
                if len(keys) == 1:
                    raise
                failed[key] = str(error)
        return failed

    async def _delete_one(self, key: str) -> None:
        with translated(self.location, key, writing=True):
            store = self._stores.single_deletes()
            try:
                await store.delete_async(key)
            except FileNotFoundError as error:
                if not is_missing(error):
                    raise

    async def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        page = Page(prefix, delimiter, start_after, limit, self._cloud)
        with translated(self.location, prefix or None):
            while page.wanted:
                store = self._stores.store()
                async for rows in store.list(page.folder, offset=page.begin(), chunk_size=page.wanted):
                    page.add(rows)
                    if page.leaps or not page.wanted:
                        break
                else:
                    page.end()
        return page.page()

    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        part = part_size(size)
        head = bytearray()
        async for chunk in chunks:
            head += chunk
            if len(head) > part:
                await self._put_in_parts(key, AsyncSource(head, chunks), part, content_type)
                return
        await repeated(lambda: self.put(key, bytes(head), content_type=content_type), self.patience)

    async def _put_in_parts(self, key: str, source: AsyncSource, part: int, content_type: str) -> None:
        """Obstore aborts the upload where the source, or a part after all its tries, raises."""
        metadata = {PART_BYTES: str(part)} if self._cloud == "s3" else NO_METADATA
        try:
            with translated(self.location, key, writing=True):
                await self._stores.uploads(part).put_async(
                    key,
                    source.chunks(),
                    attributes=self._attributes(content_type, metadata),
                    use_multipart=True,
                    chunk_size=part,
                    max_concurrency=_PARTS_AT_ONCE,
                )
        except SessionBucketError:
            if source.error:
                raise source.error from None  # the caller's own, as it was
            raise

    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        with translated(self.location, key):
            result = await self._result(key)
        if result is None:
            return None
        info = requests.described(key, result.meta, result.attributes, self._cloud)
        return AsyncObjectStream(info, self._integrity.checked(info, self._chunks(key, result)))

    async def _chunks(self, key: str, result: Any) -> AsyncGenerator[bytes, None]:
        with translated(self.location, key):
            async for chunk in result.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    async def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        """As the port has it, but for the name: obstore signs no ``Content-Disposition``."""
        with translated(self.location, key):
            store = self._stores.store()
            from obstore import sign_async  # noqa: PLC0415 (an extra)

            link = await sign_async(store, "GET", key, expires_in)
        return requests.checked_link(link, key, self._cloud)

    async def close(self) -> None:
        self._stores.close()


class AsyncSource:
    """What is to be uploaded, and the error that it ended with."""

    def __init__(self, head: bytearray, chunks: AsyncIterator[bytes]) -> None:
        self._head = head
        self._chunks = chunks
        self.error: BaseException | None = None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield bytes(self._head)
        self._head.clear()
        try:
            async for chunk in self._chunks:
                yield chunk
        except BaseException as error:
            self.error = error
            raise
