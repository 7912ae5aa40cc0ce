"""A bucket on AWS S3, or on any server that speaks its protocol."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Unpack

from botocore.exceptions import ClientError

from sessionbucket._backends.s3 import presigned_urls as links
from sessionbucket._backends.s3 import requests
from sessionbucket._backends.s3.boto3_client import Connection
from sessionbucket._backends.s3.errors import code_of, translated, was_retried
from sessionbucket._backends.s3.options import S3Options, check_options, patience_of
from sessionbucket._backends.service_errors import MISSING, NO_BATCH_DELETE, PRECONDITION_FAILED
from sessionbucket._core.file_sources import CHUNK
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
from sessionbucket._sync.bucket import Bucket, ObjectStream
from sessionbucket._sync.buckets.s3_upload import Upload
from sessionbucket._sync.wrappers.repeated import repeated
from sessionbucket.errors import (
    DeleteIncompleteError,
    InvalidArgumentError,
    SessionBucketError,
    SessionTooLargeError,
)

logger = logging.getLogger(__name__)


class S3Bucket(Bucket):
    """One bucket of an S3 server. The client is made on first use and kept until ``close``."""

    name = "s3"

    def __init__(
        self, bucket: str, *, session: Any = None, client: Any = None, **options: Unpack[S3Options]
    ) -> None:
        """``session`` is an boto3 session, ``client`` a ready boto3 or botocore client (which stays the caller's to
        close); ``options`` are those of ``S3Options``.

        Raises ``InvalidArgumentError`` for options that are unknown, bad, or contradict each other.
        """
        if not bucket or "/" in bucket:
            raise InvalidArgumentError(f"bucket {bucket!r} is refused: it must be a bucket's name")
        self._options = check_options(options, session=session, client=client)
        self._bucket = bucket
        self._connection = Connection(self._options, session, client)
        endpoint = client.meta.endpoint_url if client is not None else self._options.get("endpoint_url")
        self._location = requests.location(bucket, endpoint)
        self._batch_deletes = True
        self.patience = patience_of(self._options)
        self.conditional_writes = requests.conditional_writes(self._options, self._location)

    @property
    def location(self) -> str:
        return self._location

    def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        with translated(self.location, key):
            response = self._get(key)
            if response is None:
                return None
            info = requests.described(key, response)
            if info.size > max_bytes:
                response["Body"].close()
                raise SessionTooLargeError(key, size=info.size, limit=max_bytes)
            try:
                return StoredObject(info, response["Body"].read())
            except BaseException:
                response["Body"].close()  # else the connection is never given back
                raise

    def head(self, key: str) -> ObjectInfo | None:
        with translated(self.location, key):
            try:
                return requests.described(key, self._request("head_object", key))
            except ClientError as error:
                if code_of(error) in MISSING:
                    return None
                raise

    def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Anything(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        parameters = {
            **requests.write_parameters(self._options, content_type),
            **requests.condition_parameters(condition),
            **requests.checksum(body),
            "Body": body,
            "Metadata": dict(metadata),
        }
        with translated(self.location, key, writing=True):
            try:
                response = self._request("put_object", key, **parameters)
            except ClientError as error:
                missing = code_of(error) in MISSING and not isinstance(condition, Anything)
                if missing or code_of(error) in PRECONDITION_FAILED:
                    retried = was_retried(error) or self._connection.may_repeat_silently
                    raise PreconditionFailedError(key, location=self.location, retried=retried) from error
                raise
        return str(response.get("ETag", ""))

    def delete(self, keys: Sequence[str]) -> None:
        left: list[str] = []
        reason = ""
        for start in range(0, len(keys), requests.DELETE_BATCH):
            batch = keys[start : start + requests.DELETE_BATCH]
            failed = self._delete_batch(batch) if len(batch) > 1 and self._batch_deletes else None
            if failed is None:
                failed = self._delete_singly(batch)
            for key, why in failed.items():
                left.append(key)
                reason = why
        if left:
            raise DeleteIncompleteError(left, location=self.location, reason=reason)

    def _delete_batch(self, keys: Sequence[str]) -> dict[str, str] | None:
        """The keys that could not be deleted, each with the reason; None where the server has no such request."""
        with translated(self.location, writing=True):
            try:
                objects = [{"Key": key} for key in keys]
                response = self._request("delete_objects", None, Delete={"Objects": objects, "Quiet": True})
            except ClientError as error:
                if code_of(error) not in NO_BATCH_DELETE:
                    raise
                self._batch_deletes = False
                return None
        return {row["Key"]: row["Code"] for row in response.get("Errors", []) if row["Code"] not in MISSING}

    def _delete_singly(self, keys: Sequence[str]) -> dict[str, str]:
        failed: dict[str, str] = {}
        # The store repeats a whole call, but not one that names the keys it could not delete.
        patience = self.patience if len(keys) > 1 else ONCE
        for key in keys:
            try:
                repeated(partial(self._delete_one, key), patience)
            except SessionBucketError as error:
                if len(keys) == 1:
                    raise
                failed[key] = str(error)
        return failed

    def _delete_one(self, key: str) -> None:
        with translated(self.location, key, writing=True):
            try:
                self._request("delete_object", key)
            except ClientError as error:
                if code_of(error) not in MISSING:
                    raise

    def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        with translated(self.location, prefix or None):
            response = self._request(
                "list_objects_v2",
                None,
                Prefix=prefix,
                MaxKeys=limit,
                **({"Delimiter": delimiter} if delimiter else {}),
                **requests.start_after(start_after, delimiter),
            )
        return requests.listed(response, start_after)

    def put_stream(
        self,
        key: str,
        chunks: Iterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        part_size = requests.part_size(size)
        write = requests.write_parameters(self._options, content_type)
        upload = Upload(self._request, key, write, self.location, self.patience)
        part = bytearray()
        try:
            for chunk in chunks:
                part += chunk
                while len(part) > part_size:
                    upload.part(bytes(part[:part_size]))
                    del part[:part_size]
            if upload.begun:
                upload.part(bytes(part))
                upload.complete()
                return
        except BaseException:
            upload.abort()
            raise
        repeated(lambda: self.put(key, bytes(part), content_type=content_type), self.patience)

    def get_stream(self, key: str) -> ObjectStream | None:
        with translated(self.location, key):
            response = self._get(key)
        if response is None:
            return None
        chunks = self._chunks(key, response["Body"])
        next(chunks)
        return ObjectStream(requests.described(key, response), chunks)

    def _chunks(self, key: str, body: Any) -> Generator[bytes, None, None]:
        try:
            yield b""  # for whoever made this generator: one that was not begun would not close the body
            while True:
                with translated(self.location, key):
                    chunk = body.read(CHUNK)
                if not chunk:
                    return
                yield chunk
        finally:
            body.close()

    def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        with translated(self.location, key):
            client = self._connection.client()
            link = client.generate_presigned_url(
                "get_object",
                # Without the expected owner: it would be a header that whoever follows the link has to send.
                Params={"Bucket": self._bucket, "Key": key, **links.saved_as(filename)},
                ExpiresIn=int(expires_in.total_seconds()),
            )
        return str(link)

    def _get(self, key: str) -> Any:
        try:
            return self._request("get_object", key)
        except ClientError as error:
            if code_of(error) in MISSING:
                return None
            raise

    def _request(self, operation: str, key: str | None, **parameters: Any) -> Any:
        """One request, as the client library has it: its errors are for ``translated``."""
        logger.debug("%s %s %s", operation, self.location, key or parameters.get("Prefix", ""))
        client = self._connection.client()
        at = {"Bucket": self._bucket, **({"Key": key} if key else {}), **requests.owner(self._options)}
        return getattr(client, operation)(**at, **parameters)

    def close(self) -> None:
        self._connection.close()
