"""A bucket on AWS S3, or on any server that speaks its protocol."""

from __future__ import annotations

import logging
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Unpack

from sessionbucket._async.bucket import AsyncBucket, AsyncObjectStream
from sessionbucket._async.buckets.batch_deletes import BATCH_LIMIT, AsyncBatchDeletes
from sessionbucket._async.request_retries import send_with_retries
from sessionbucket._backends.connection_options import check_bucket_name, network_capabilities
from sessionbucket._backends.endpoints import location_of, partition_of
from sessionbucket._backends.s3 import requests
from sessionbucket._backends.s3.aioboto3_client import Connection
from sessionbucket._backends.s3.errors import (
    NO_SUCH_VERSION,
    code_of,
    request_errors,
    translate,
    transport_errors,
    was_retried,
)
from sessionbucket._backends.s3.options import S3Options, check_s3_options
from sessionbucket._backends.service_errors import (
    MISSING,
    NO_BATCH_DELETE,
    MissingKeyError,
    UnprovenMissingKeyError,
    UnsatisfiableRangeError,
    not_from_server,
)
from sessionbucket._concurrency.asyncio_ import gather
from sessionbucket._core.arguments import (
    check_copy,
    check_delete_if,
    check_get,
    check_get_version,
    check_key,
    check_keys,
    check_kind,
    check_listing,
    check_object_infos,
    check_prefix,
    check_presign,
    check_put,
    check_put_stream,
    check_version_listing,
    check_versions,
)
from sessionbucket._core.body_checksum import with_bucket_checksum
from sessionbucket._core.file_sources import CHUNK, checked
from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Always,
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
from sessionbucket._core.retry import RetryConfig
from sessionbucket.errors import (
    InvalidArgumentError,
    NotSupportedError,
    ObjectTooLargeError,
    PreconditionFailedError,
    SessionBucketError,
)

_LOCKS_AT_ONCE = 8

logger = logging.getLogger(__name__)


class AsyncS3Bucket(AsyncBucket):
    """One bucket of an S3 server. The client is made on first use and kept until ``close``."""

    name = "s3"
    client_library = "aiobotocore"

    def __init__(
        self, bucket: str, *, session: Any = None, client: Any = None, **options: Unpack[S3Options]
    ) -> None:
        """``session`` is an aioboto3 session, and ``client`` a ready aioboto3 or aiobotocore client, which the caller
        closes. ``options`` are those of ``S3Options``.

        Raises ``InvalidArgumentError`` for options that are unknown, bad, or contradict each other.
        """
        checked = check_s3_options(options, session=session, client=client)
        self._options = checked
        self._common = requests.common_parameters(check_bucket_name(bucket), checked)
        self._write_parameters = requests.write_parameters(checked)
        self._deletes = AsyncBatchDeletes(self._delete_batch, self._delete_one)
        self._connection = Connection(checked, session, client)
        self._place: tuple[str, Capabilities] | None = None

    @property
    def location(self) -> str:
        return self._find_place()[0]

    @property
    def capabilities(self) -> Capabilities:
        return self._find_place()[1]

    def _find_place(self) -> tuple[str, Capabilities]:
        """The location and the capabilities, which the endpoint decides. The first call loads botocore, which finds the endpoint."""
        if self._place is None:
            bucket = self._common["Bucket"]
            try:
                endpoint = self._connection.endpoint
                partition = partition_of(endpoint, self._connection.region)
            except transport_errors() as error:
                raise translate(error, f"s3://{bucket}") from error
            capabilities = network_capabilities(
                self._options, is_own_cloud=partition is not None, has_conditional_deletes=True
            )
            self._place = location_of(bucket, endpoint, partition), capabilities
        return self._place

    async def _request(
        self,
        operation: str,
        key: str | None = None,
        parameters: Mapping[str, Any] = NO_METADATA,
        *,
        writing: bool = False,
    ) -> Any:
        """Send one request. ``writing`` says that it changes an object.

        Raises the library's errors, ``MissingKeyError`` and ``PreconditionFailedError`` among them.
        """
        logger.debug("%s %s %s", operation, self.location, key)
        keyed = parameters if key is None else {**parameters, "Key": key}
        client = await self._client()
        try:
            return await getattr(client, operation)(**self._common, **keyed)
        except request_errors() as error:
            raise translate(error, self.location, key, writing=writing) from error

    async def _client(self) -> Any:
        """The client. Raises the library's errors, ``InvalidArgumentError`` for a bad endpoint or region among them."""
        try:
            return await self._connection.client()
        except transport_errors() as error:
            raise translate(error, self.location) from error
        except ValueError as error:
            raise InvalidArgumentError(f"{self.location}: {error}") from error

    async def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        check_get(key, max_bytes, first)
        try:
            return await self._get(key, requests.range_parameter(first), max_bytes, first)
        except MissingKeyError:
            return None
        except UnsatisfiableRangeError:  # an empty object has no first byte
            return await self.get(key, max_bytes=max_bytes)

    async def _get(
        self, key: str, parameters: Mapping[str, str], max_bytes: int, first: int | None = None
    ) -> StoredObject:
        response = await self._request("get_object", key, parameters)
        body = response["Body"]
        info = requests.described(key, response, self.location)
        size = min(info.size, first or info.size)
        if size > max_bytes:
            body.close()
            raise ObjectTooLargeError(key, size=size, limit=max_bytes)
        try:
            return StoredObject(info, await (self._read_first(body, size) if first else body.read()))
        except BaseException as error:
            body.close()  # or the connection is never released
            if isinstance(error, request_errors()):
                raise translate(error, self.location, key) from error
            raise

    async def _read_first(self, body: Any, size: int) -> bytes:
        """The first bytes of a body. A server that ignores the range sends more, and a read of aiohttp may return fewer."""
        data: bytes = await body.read(size)
        while len(data) < size and (more := await body.read(size - len(data))):
            data += more
        return data

    async def head(self, key: str) -> ObjectInfo | None:
        check_key(key)
        try:
            response = await self._request("head_object", key)
        except MissingKeyError:
            return None
        except UnprovenMissingKeyError:
            return await self._head_by_get(key)
        return requests.described(key, response, self.location)

    async def _head_by_get(self, key: str) -> ObjectInfo | None:
        """The description of an object by a GET: other than that of a HEAD, its 404 has a body with S3's error code."""
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
        crc = zlib.crc32(body)
        try:
            parameters = {
                "Body": body,
                "ContentType": content_type,
                **requests.encoding_parameter(content_type, body),
                "Metadata": with_bucket_checksum(metadata, crc),
                **requests.checksum_parameter(crc),
                **requests.condition_parameters(condition, bare=self.sends_bare_etags),
                **self._write_parameters,
            }
            response = await self._request("put_object", key, parameters, writing=True)
        except (PreconditionFailedError, MissingKeyError) as error:
            if isinstance(condition, Always):
                raise
            cause = error.__cause__
            raise PreconditionFailedError(
                key,
                location=self.location,
                retried=was_retried(cause) or self._connection.may_repeat_silently,
                is_missing=isinstance(error, MissingKeyError),
            ) from cause
        return requests.version_of(response, key, self.location)

    async def copy(self, source: str, target: str) -> bool:
        check_copy(source, target)
        if source == target:
            return await self.exists(source)  # S3 refuses to copy an object to itself
        parameters = {
            "CopySource": {"Bucket": self._common["Bucket"], "Key": source},
            **requests.source_owner(self._common),
            **requests.copy_parameters(self._write_parameters),
        }
        try:
            await self._request("copy_object", target, parameters, writing=True)
        except MissingKeyError:
            return False
        return True

    async def delete(self, keys: Sequence[str]) -> None:
        check_keys(keys)
        await self._deletes.delete(keys, location=self.location, retry=self.capabilities.retry)

    async def _delete_batch(self, keys: Sequence[str]) -> dict[str, str] | None:
        objects = [{"Key": key} for key in keys]
        try:
            parameters = {"Delete": {"Objects": objects, "Quiet": True}}
            response = await self._request("delete_objects", None, parameters, writing=True)
        except SessionBucketError as error:
            if code_of(error.__cause__) in NO_BATCH_DELETE:
                return None
            raise
        return {row["Key"]: row["Code"] for row in response.get("Errors", []) if row["Code"] not in MISSING}

    async def _delete_one(self, key: str) -> None:
        try:
            await self._request("delete_object", key, writing=True)
        except MissingKeyError:
            return

    async def delete_if(self, key: str, version: str) -> None:
        check_delete_if(key, version)
        condition = requests.condition_parameters(IfMatch(version), bare=self.sends_bare_etags)
        try:
            await self._request("delete_object", key, condition, writing=True)
        except MissingKeyError:
            return
        except PreconditionFailedError as error:
            raise PreconditionFailedError(key, location=self.location) from error.__cause__

    async def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        check_listing(prefix, delimiter, start_after, limit)
        parameters = {
            "Prefix": prefix,
            "MaxKeys": limit,
            **({"Delimiter": delimiter} if delimiter else {}),
            **requests.start_after(start_after, delimiter),
        }
        response = await self._request("list_objects_v2", None, parameters)
        return requests.listed(response, start_after, delimiter, self.location)

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
        part_size = requests.part_size(size)
        upload = _AsyncMultipartUpload(
            self._request,
            key,
            {"ContentType": content_type, **self._write_parameters},
            location=self.location,
            retry=self.capabilities.retry,
        )
        part = bytearray()
        try:
            async for chunk in chunks:
                part += checked(chunk)
                while len(part) > part_size:
                    await upload.send_part(bytes(part[:part_size]))
                    del part[:part_size]
            if upload.has_begun:
                await upload.send_part(bytes(part))
                await upload.complete()
                return
        except BaseException:
            await upload.abort()
            raise
        await send_with_retries(
            lambda: self.put(key, bytes(part), content_type=content_type), self.capabilities.retry
        )

    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        check_key(key)
        try:
            response = await self._request("get_object", key)
        except MissingKeyError:
            return None
        chunks = self._read_chunks(key, response["Body"])
        await anext(chunks)
        return AsyncObjectStream(requests.described(key, response, self.location), chunks)

    async def _read_chunks(self, key: str, body: Any) -> AsyncGenerator[bytes, None]:
        try:
            yield b""  # get_stream takes this: a generator that has not begun would not close the body
            while chunk := await body.read(CHUNK):
                yield chunk
        except request_errors() as error:
            raise translate(error, self.location, key) from error
        finally:
            body.close()

    async def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        check_presign(key, expires_in, filename)
        # Without the expected owner, which would be a header that every client of the URL must send.
        parameters = {"Bucket": self._common["Bucket"], "Key": key, **requests.attachment(filename)}
        try:
            client = await self._connection.presigning_client()
            url = await client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=int(expires_in.total_seconds())
            )
        except transport_errors() as error:
            raise translate(error, self.location, key) from error
        return str(url)

    async def temporary_objects(self, prefix: str) -> list[ObjectInfo]:
        check_prefix(prefix)
        found: list[ObjectInfo] = []
        marker: dict[str, str] = {}
        while True:
            response = await self._request("list_multipart_uploads", None, {"Prefix": prefix, **marker})
            found += requests.listed_uploads(response, self.location)
            if not response.get("IsTruncated"):
                return found
            marker = {
                "KeyMarker": response.get("NextKeyMarker", ""),
                "UploadIdMarker": response.get("NextUploadIdMarker", ""),
            }

    async def remove_temporary(self, objects: Sequence[ObjectInfo]) -> None:
        check_object_infos(objects)
        for each in objects:
            try:
                await self._request(
                    "abort_multipart_upload", each.key, {"UploadId": each.version}, writing=True
                )
            except SessionBucketError as error:
                if code_of(error.__cause__) != "NoSuchUpload":
                    raise

    async def keeps_versions(self) -> bool:
        response = await self._request("get_bucket_versioning")
        return bool(response.get("Status"))

    async def list_versions(
        self, prefix: str, *, start_after: tuple[str, str] = ("", ""), limit: int = PAGE_LIMIT
    ) -> VersionPage:
        check_version_listing(prefix, start_after, limit)
        parameters = {"Prefix": prefix, "MaxKeys": limit, **requests.versions_after(start_after)}
        response = await self._request("list_object_versions", None, parameters)
        return requests.listed_versions(response, self.location)

    async def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        check_get_version(key, version_id, max_bytes)
        try:
            return await self._get(key, {"VersionId": version_id}, max_bytes)
        except NotSupportedError as error:
            if isinstance(error, MissingKeyError) or code_of(error.__cause__) in NO_SUCH_VERSION:
                return None
            raise

    async def erase(
        self, versions: Sequence[ObjectVersion], *, bypass_governance: bool = False
    ) -> list[Kept]:
        check_versions(versions)
        refused: dict[ObjectVersion, str] = {}
        for start in range(0, len(versions), BATCH_LIMIT):
            batch = versions[start : start + BATCH_LIMIT]
            parameters = requests.erase_parameters(batch, bypass_governance=bypass_governance)
            response = await self._request("delete_objects", None, parameters, writing=True)
            for row in response.get("Errors", []):
                if row["Code"] not in MISSING:
                    refused |= {each: row["Code"] for each in batch if requests.is_error_of(row, each)}
        kept = await gather(
            [partial(self._kept, each, code) for each, code in refused.items()], limit=_LOCKS_AT_ONCE
        )
        return [each for each in kept if each]

    async def _kept(self, version: ObjectVersion, code: str) -> Kept | None:
        """The version that the server did not erase, with its lock, if it has one and the credentials may read it.

        None when it is erased all the same: some servers name the key of an error and not the version.
        """
        try:
            response = await self._request("head_object", version.key, {"VersionId": version.version_id})
        except (MissingKeyError, UnprovenMissingKeyError):
            return None
        except SessionBucketError:
            response = {}
        return requests.lock_of(version, response) or Kept(
            version.key, version.version_id, f"the server refused: {code}"
        )

    async def close(self) -> None:
        await self._connection.close()


class _AsyncMultipartUpload:
    """One object in parts, sent one after the other. Readers see nothing of it before ``complete``."""

    def __init__(
        self,
        request: Callable[..., Awaitable[Any]],
        key: str,
        write_parameters: Mapping[str, str],
        *,
        location: str,
        retry: RetryConfig,
    ) -> None:
        self._request = request
        self._key = key
        self._write_parameters = write_parameters
        self._location = location
        self._retry = retry
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []

    @property
    def has_begun(self) -> bool:
        return self._id is not None

    async def send_part(self, body: bytes) -> None:
        """Send the next part. All parts but the last must have 5 MiB or more."""
        number = len(self._parts) + 1
        if number > requests.MAX_PARTS:
            limit = requests.MAX_PARTS * requests.PART_BYTES
            raise ObjectTooLargeError(self._key, size=limit + len(body), limit=limit)
        if self._id is None:
            self._id = await send_with_retries(self._begin, self._retry)
        self._parts.append(await send_with_retries(lambda: self._send(number, body), self._retry))

    async def _begin(self) -> str:
        parameters = {"ChecksumAlgorithm": "CRC32", **self._write_parameters}
        created = await self._request("create_multipart_upload", self._key, parameters)
        if not created.get("UploadId"):
            raise not_from_server("it has no UploadId", self._location, self._key)
        return str(created["UploadId"])

    async def _send(self, number: int, body: bytes) -> dict[str, Any]:
        checksum = requests.checksum_parameter(zlib.crc32(body))
        parameters = {"UploadId": self._id, "PartNumber": number, "Body": body, **checksum}
        response = await self._request("upload_part", self._key, parameters)
        etag = requests.version_of(response, self._key, self._location)
        return {"PartNumber": number, "ETag": etag, **checksum}

    async def complete(self) -> None:
        """Make the object of the parts."""
        parameters = {"UploadId": self._id, "MultipartUpload": {"Parts": self._parts}}
        response = await self._request("complete_multipart_upload", self._key, parameters, writing=True)
        if "ETag" not in response:  # Ceph RGW 16 sends an empty one
            raise not_from_server("it has no ETag", self._location, self._key).with_outcome("unknown")

    async def abort(self) -> None:
        """Make the server drop the parts. If that fails, the bucket's lifecycle rule must do it."""
        if self._id is None:
            return
        try:
            await self._request("abort_multipart_upload", self._key, {"UploadId": self._id})
        except SessionBucketError as error:
            logger.warning(
                "the parts of an upload to %s (key %r) could not be removed: %s",
                self._location,
                self._key,
                type(error.__cause__ or error).__name__,
            )
