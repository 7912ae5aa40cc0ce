"""A bucket on S3, Google Cloud Storage or Azure, by obstore, a client library in Rust."""

from __future__ import annotations

import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Unpack, cast

from sessionbucket._async.bucket import AsyncBucket, AsyncObjectStream
from sessionbucket._async.buckets.batch_deletes import AsyncBatchDeletes
from sessionbucket._async.request_retries import send_with_retries
from sessionbucket._backends.connection_options import check_bucket_name, network_capabilities
from sessionbucket._backends.obstore import requests
from sessionbucket._backends.obstore.checksums import PART_BYTES, StreamChecksum
from sessionbucket._backends.obstore.clients import ObstoreClients
from sessionbucket._backends.obstore.errors import (
    errors,
    has_no_batch_delete,
    is_timeout,
    remaining_key,
    translate,
    translated,
)
from sessionbucket._backends.obstore.listing import Page
from sessionbucket._backends.obstore.options import ObstoreOptions, check_obstore_options
from sessionbucket._backends.s3.requests import part_size
from sessionbucket._backends.service_errors import (
    DAMAGED,
    TIMED_OUT,
    MissingKeyError,
    UnprovenMissingKeyError,
    UnsatisfiableRangeError,
    not_from_server,
)
from sessionbucket._backends.time_limits import TimeLimit, request_seconds
from sessionbucket._concurrency.asyncio_ import in_thread, wait_for_threads_at_exit
from sessionbucket._core.arguments import (
    check_copy,
    check_get,
    check_key,
    check_keys,
    check_kind,
    check_listing,
    check_object_infos,
    check_presign,
    check_put,
    check_put_stream,
)
from sessionbucket._core.body_checksum import with_bucket_checksum
from sessionbucket._core.file_sources import checked
from sessionbucket._core.objects import (
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
    content_encoding,
    is_md5_version,
    md5_version,
)
from sessionbucket._core.store_url import Cloud
from sessionbucket.errors import (
    InvalidArgumentError,
    NotSupportedError,
    ObjectTooLargeError,
    PreconditionFailedError,
    SessionBucketError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    from sessionbucket._async.buckets.s3 import AsyncS3Bucket
    from sessionbucket._backends.s3.options import S3Options

_PARTS_AT_ONCE = 2
_SOON = timedelta(minutes=1)
_ENCRYPTION = "x-amz-server-side-encryption"


class AsyncObstoreBucket(AsyncBucket):
    """One bucket of a cloud. obstore's clients are made on first use and kept until ``close``.

    The threads of obstore's runtime do not exist in a forked child process. When a process forks after its first use of
    obstore, the first request in the child raises ``NotSupportedError``.
    """

    def __init__(
        self, bucket: str, *, cloud: Cloud = "s3", session: Any = None, **options: Unpack[ObstoreOptions]
    ) -> None:
        """``cloud`` is ``"s3"``, ``"gs"`` for Google Cloud Storage or ``"az"`` for a container of Azure. ``session`` is
        a boto3 session with the credentials. ``options`` are those of ``S3Options`` except
        ``expected_bucket_owner``, and for the other clouds those of ``CloudOptions``.

        Raises ``InvalidArgumentError`` for options that are unknown, bad, or contradict each other.
        """
        check_bucket_name(bucket)
        wait_for_threads_at_exit()
        checked = check_obstore_options(options, cloud, session=session)
        self.name = cloud
        self._cloud = cloud
        self._options = checked
        self._storage_class = checked.get("storage_class")
        self._tags = requests.tags(checked.get("tagging"))
        self._clients = ObstoreClients(bucket, cloud, checked, session=session)
        self._bucket = bucket
        self._session = session
        self._other_engine: AsyncS3Bucket | None = None
        self._capabilities: Capabilities | None = None
        self._integrity = _AsyncIntegrity(self._clients, cloud)
        self._deletes = AsyncBatchDeletes(self._delete_batch, self._delete_one, has_batches=cloud == "s3")

    @property
    def location(self) -> str:
        return self._clients.location

    @property
    def capabilities(self) -> Capabilities:
        if self._capabilities is None:
            self._capabilities = network_capabilities(
                self._options, is_own_cloud=self._clients.is_of_cloud, has_conditional_deletes=False
            )
        return self._capabilities

    async def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        """As the port defines it. Damage to the first bytes alone is not detected, since no checksum is of them."""
        check_get(key, max_bytes, first)
        if first:
            try:
                return (await self._get(key, max_bytes, first))[0]
            except UnsatisfiableRangeError:  # an empty object has no first byte
                pass
        found, crc = await self._get(key, max_bytes)
        if found is None or await self._integrity.is_intact(found, crc):
            return found
        again, crc = await self._get(key, max_bytes)
        self._integrity.compare(found, again, crc)
        return again

    async def _get(
        self, key: str, max_bytes: int, first: int | None = None
    ) -> tuple[StoredObject | None, int | None]:
        """The object, and the CRC-32 in its metadata entry.

        Only the response shows that a body is large. When such a body needs more time than a small one, it is requested again by
        the client for its size.
        """
        size = 0
        client = smallest = self._clients.client()
        while True:
            try:
                result = await client.get_async(key, options=requests.range_options(first))
                info, crc = requests.described(key, result.meta, result.attributes, self._cloud)
                self._checked(info)
                size = min(info.size, first or info.size)
                if size > max_bytes:
                    raise ObjectTooLargeError(key, size=size, limit=max_bytes)
                return StoredObject(info, bytes(await result.bytes_async())), crc
            except errors() as error:
                meaning = translate(error, self.location, key)
                if isinstance(meaning, MissingKeyError):
                    return None, None
                larger = self._clients.client(transferring=size)
                if not is_timeout(error) or larger is smallest or client is not smallest:
                    raise meaning from error
                client = larger

    async def head(self, key: str) -> ObjectInfo | None:
        check_key(key)
        try:
            with translated(self.location, key):
                result = await self._clients.client().get_async(key, options=requests.HEAD)
                info = requests.described(key, result.meta, result.attributes, self._cloud)[0]
        except MissingKeyError:
            return None
        except UnprovenMissingKeyError:
            return await self._head_by_get(key)
        return self._checked(info)

    def _checked(self, info: ObjectInfo) -> ObjectInfo:
        if info.version is None:
            raise not_from_server("it has no ETag", self.location, info.key)
        return info

    async def _head_by_get(self, key: str) -> ObjectInfo | None:
        """The description of an object by a GET: other than that of a HEAD, its 404 has a body with the server's error code."""
        stream = await self.get_stream(key)
        if stream is None:
            return None
        await stream.chunks.aclose()
        return stream.info

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
        metadata = with_bucket_checksum(metadata, zlib.crc32(body))
        client = self._clients.client(transferring=len(body))
        try:
            result = await client.put_async(
                key,
                body,
                mode=requests.put_mode(condition, bare=self.sends_bare_etags),
                attributes=requests.attributes(
                    content_type, metadata, self._storage_class, content_encoding(content_type, body)
                ),
                tags=self._tags,
                use_multipart=False,
            )
        except errors() as error:
            meaning = translate(error, self.location, key, writing=True)
            if isinstance(meaning, MissingKeyError) and not isinstance(condition, Always):
                meaning = PreconditionFailedError(key, location=self.location, is_missing=True)
            raise meaning from error
        version = requests.version_of(result, self._cloud)
        if not version:
            raise not_from_server("it has no ETag", self.location, key).with_outcome("unknown")
        self._integrity.learn(body, version)
        return version

    async def copy(self, source: str, target: str) -> bool:
        check_copy(source, target)
        if source == target:
            return await self.exists(source)  # S3 refuses to copy an object to itself
        try:
            with translated(self.location, target, writing=True):
                await self._clients.client().copy_async(source, target)
        except MissingKeyError:
            return False
        return True

    async def delete(self, keys: Sequence[str]) -> None:
        check_keys(keys)
        await self._deletes.delete(keys, location=self.location, retry=self.capabilities.retry)

    async def _delete_batch(self, keys: Sequence[str]) -> dict[str, str] | None:
        client = self._clients.client()
        try:
            await client.delete_async(keys)
        except errors() as error:
            remaining = remaining_key(error)
            if remaining is not None:
                others = await self._existing([key for key in keys if key not in remaining])
                return others | remaining  # the last reason is reported, and the server named this one
            if has_no_batch_delete(error):
                return None
            raise translate(error, self.location, writing=True) from error
        return {}

    async def _existing(self, keys: Sequence[str]) -> dict[str, str]:
        return {key: "not deleted" for key in keys if await self.head(key)}

    async def _delete_one(self, key: str) -> None:
        try:
            with translated(self.location, key, writing=True):
                await self._clients.single_deletes().delete_async(key)
        except MissingKeyError:
            return

    async def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        check_listing(prefix, delimiter, start_after, limit)
        page = Page(prefix, delimiter, start_after, limit, self._cloud)
        with translated(self.location, prefix or None):
            while page.wanted:
                client = self._clients.client()
                async for rows in client.list(page.folder, offset=page.begin(), chunk_size=page.wanted):
                    page.add(rows)
                    if page.skips_folder or not page.wanted:
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
        check_put_stream(key, size, content_type)
        check_kind("chunks", chunks, AsyncIterator)
        part = part_size(size)
        head = bytearray()
        async for chunk in chunks:
            head += checked(chunk)
            if len(head) > part:
                await self._put_in_parts(key, _AsyncSource(head, chunks), part, content_type)
                return
        await send_with_retries(
            lambda: self.put(key, bytes(head), content_type=content_type), self.capabilities.retry
        )

    async def _put_in_parts(self, key: str, source: _AsyncSource, part: int, content_type: str) -> None:
        """Upload in parts. obstore aborts the upload when the source raises, or a part after all its attempts."""
        metadata = {PART_BYTES: str(part)} if self._cloud == "s3" else NO_METADATA
        try:
            with translated(self.location, key, writing=True):
                await self._clients.uploads(part).put_async(
                    key,
                    source.chunks(),
                    attributes=requests.attributes(content_type, metadata, self._storage_class),
                    tags=self._tags,
                    use_multipart=True,
                    chunk_size=part,
                    max_concurrency=_PARTS_AT_ONCE,
                )
        except SessionBucketError:
            if source.error:
                raise source.error from None  # the caller's own error, unchanged
            raise

    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        check_key(key)
        try:
            with translated(self.location, key):
                result = await self._clients.streams().get_async(key)
                info, _ = requests.described(key, result.meta, result.attributes, self._cloud)
        except MissingKeyError:
            return None
        return AsyncObjectStream(
            self._checked(info), self._integrity.verified(info, self._read_chunks(key, result))
        )

    async def _read_chunks(self, key: str, result: Any) -> AsyncGenerator[bytes, None]:
        limit = TimeLimit(request_seconds(self._clients.connect_timeout, self._clients.read_timeout), spent=0)
        with translated(self.location, key):
            started = time.monotonic()
            async for chunk in result.stream(min_chunk_size=1):
                limit.spend(time.monotonic() - started, len(chunk))
                if limit.left <= 0:
                    raise StoreUnavailableError(TIMED_OUT, location=self.location, key=key)
                yield bytes(chunk)
                started = time.monotonic()

    async def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        """As the port defines it, except for ``filename``: obstore signs no ``Content-Disposition``."""
        check_presign(key, expires_in, filename)
        with translated(self.location, key):
            client = self._clients.client()
            from obstore import sign_async  # noqa: PLC0415 (an extra)

            url = await sign_async(client, "GET", key, expires_in)
        return requests.check_presigned_url(url, key, self._cloud)

    async def temporary_objects(self, prefix: str) -> list[ObjectInfo]:
        """As the port defines it, by aioboto3. Where that is not possible, none are listed."""
        try:
            return await self._s3.temporary_objects(prefix)
        except NotSupportedError:
            return await super().temporary_objects(prefix)

    async def remove_temporary(self, objects: Sequence[ObjectInfo]) -> None:
        check_object_infos(objects)
        if objects:
            await self._s3.remove_temporary(objects)

    async def keeps_versions(self) -> bool:
        return await self._s3.keeps_versions()

    async def list_versions(
        self, prefix: str, *, start_after: tuple[str, str] = ("", ""), limit: int = PAGE_LIMIT
    ) -> VersionPage:
        return await self._s3.list_versions(prefix, start_after=start_after, limit=limit)

    async def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        return await self._s3.get_version(key, version_id, max_bytes=max_bytes)

    async def erase(
        self, versions: Sequence[ObjectVersion], *, bypass_governance: bool = False
    ) -> list[Kept]:
        return await self._s3.erase(versions, bypass_governance=bypass_governance)

    @property
    def _s3(self) -> AsyncS3Bucket:
        """The same bucket by aioboto3, for versions and unfinished uploads, which obstore cannot list.

        Raises ``NotSupportedError`` for another cloud than S3, and for credentials that aioboto3 cannot use.
        """
        if self._other_engine is None:
            if self._cloud != "s3":
                raise NotSupportedError(
                    f"{self.location}: the versions of a bucket can be listed by S3's protocol only"
                )
            from sessionbucket._async.buckets.s3 import AsyncS3Bucket  # noqa: PLC0415 (loads boto3)

            try:
                self._other_engine = AsyncS3Bucket(
                    self._bucket, session=self._session, **cast("S3Options", self._options)
                )
            except InvalidArgumentError as error:
                raise NotSupportedError(
                    f"{self.location}: obstore cannot list versions and unfinished uploads, and aioboto3 cannot use the session of this "
                    "store; open it with engine=aioboto3 and an aioboto3 session"
                ) from error
        return self._other_engine

    async def close(self) -> None:
        self._clients.close()
        if self._other_engine is not None:
            await self._other_engine.close()


class _AsyncSource:
    """The chunks of an upload, and the error that they ended with."""

    def __init__(self, head: bytearray, chunks: AsyncIterator[bytes]) -> None:
        self._head = head
        self._chunks = chunks
        self.error: BaseException | None = None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield bytes(self._head)
        self._head.clear()
        try:
            async for chunk in self._chunks:
                yield checked(chunk)
        except BaseException as error:
            self.error = error
            raise


class _AsyncIntegrity:
    """Detects bodies that were damaged in transit, which obstore does not.

    The bucket's CRC-32 entry proves a body of ours. The ETag proves any other body, on a server whose ETags are known to be MD5s:
    the first ETag that is the MD5 of its body shows that they are.
    """

    def __init__(self, clients: ObstoreClients, cloud: Cloud) -> None:
        self._clients = clients
        self._has_md5_etags: bool | None = None if cloud == "s3" else False

    def learn(self, body: bytes, version: str) -> None:
        """Note whether the ETag that the server gave to a body is its MD5."""
        if self._has_md5_etags is None and md5_version(body) == version:
            self._has_md5_etags = True

    async def is_intact(self, found: StoredObject, crc: int | None) -> bool:
        """Whether the body is the one that was written. False when only a second read can show that.

        Raises ``StoreUnavailableError`` for a damaged body.
        """
        # The CRC-32 costs a sixth of an MD5, and proves as much about accidents.
        if crc is not None and zlib.crc32(found.body) == crc:
            return True
        version = found.info.version
        if self._has_md5_etags is False or not is_md5_version(version):
            return crc is None
        if md5_version(found.body) == version:
            self._has_md5_etags = True
            return True
        if await self._is_encrypted_by_kms(found.info.key):
            return crc is None
        if self._has_md5_etags:
            raise self._damaged(found.info.key)
        return False

    def compare(self, found: StoredObject, again: StoredObject | None, crc: int | None) -> None:
        """Compare the second read with the first. Equal bodies without a CRC-32 show that the server's ETags are no MD5s.

        Raises ``StoreUnavailableError`` when both bodies are damaged.
        """
        if again is None or md5_version(again.body) == again.info.version:
            return
        if crc is not None and zlib.crc32(again.body) == crc:
            return
        if again.body != found.body or crc is not None:
            raise self._damaged(found.info.key)
        self._has_md5_etags = False

    async def verified(
        self, info: ObjectInfo, chunks: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """Yield the chunks, and raise ``StoreUnavailableError`` after the last if they were damaged."""
        checksum = StreamChecksum(info.version, info.metadata)
        is_verified = self._has_md5_etags and checksum.is_comparable
        try:
            async for chunk in chunks:
                if is_verified:
                    checksum.add(chunk)
                yield chunk
        finally:
            await chunks.aclose()
        if is_verified and not checksum.matches() and not await self._is_encrypted_by_kms(info.key):
            raise self._damaged(info.key)

    async def _is_encrypted_by_kms(self, key: str) -> bool:
        """Whether a key of KMS or of the customer encrypts the object. Its headers show that, and obstore does not return them."""
        from obstore import sign  # noqa: PLC0415 (an extra)

        with translated(self._clients.location, key):
            url = sign(self._clients.client(), "HEAD", key, _SOON)
            headers = await in_thread(_headers, url, self._clients.read_timeout)
        if "kms" not in headers.get(_ENCRYPTION, "") and f"{_ENCRYPTION}-customer-algorithm" not in headers:
            return False
        self._has_md5_etags = False
        return True

    def _damaged(self, key: str) -> StoreUnavailableError:
        return StoreUnavailableError(DAMAGED, location=self._clients.location, key=key)


def _headers(url: str, timeout: float) -> dict[str, str]:
    from urllib.error import HTTPError  # noqa: PLC0415
    from urllib.request import Request, urlopen  # noqa: PLC0415 (loads all of HTTP)

    try:
        with urlopen(Request(url, method="HEAD"), timeout=timeout) as response:  # noqa: S310 (obstore made the URL)
            return {name.lower(): value for name, value in response.headers.items()}
    except HTTPError as refusal:
        refusal.close()
        raise
