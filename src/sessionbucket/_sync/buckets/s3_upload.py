"""A multipart upload, which begins with its first part and leaves nothing behind when it is aborted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from sessionbucket._backends.s3 import requests
from sessionbucket._backends.s3.errors import translated, transport_errors
from sessionbucket._core.retry import Patience
from sessionbucket._sync.wrappers.repeated import repeated
from sessionbucket.errors import SessionTooLargeError

logger = logging.getLogger(__name__)


class Upload:
    """One object in parts, sent one after the other; nothing is seen under the key before ``complete``."""

    def __init__(
        self,
        request: Callable[..., Any],
        key: str,
        write: dict[str, Any],
        location: str,
        patience: Patience,
    ) -> None:
        self._request = request
        self._key = key
        self._write = write
        self._location = location
        self._patience = patience
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []

    @property
    def begun(self) -> bool:
        return self._id is not None

    def part(self, body: bytes) -> None:
        """Send the next part; all but the last must have 5 MiB or more."""
        number = len(self._parts) + 1
        if number > requests.MAX_PARTS:
            limit = requests.MAX_PARTS * requests.PART_BYTES
            raise SessionTooLargeError(self._key, size=limit + len(body), limit=limit)
        if self._id is None:
            self._id = repeated(self._begin, self._patience)
        self._parts.append(repeated(lambda: self._send(number, body), self._patience))

    def _begin(self) -> str:
        with translated(self._location, self._key):
            created = self._request(
                "create_multipart_upload", self._key, **self._write, ChecksumAlgorithm="CRC32"
            )
        return str(created["UploadId"])

    def _send(self, number: int, body: bytes) -> dict[str, Any]:
        crc = requests.checksum(body)
        with translated(self._location, self._key):
            answer = self._request(
                "upload_part", self._key, **crc, UploadId=self._id, PartNumber=number, Body=body
            )
        return {"PartNumber": number, "ETag": answer["ETag"], **crc}

    def complete(self) -> None:
        """Make the object of the parts."""
        with translated(self._location, self._key, writing=True):
            self._request(
                "complete_multipart_upload",
                self._key,
                UploadId=self._id,
                MultipartUpload={"Parts": self._parts},
            )

    def abort(self) -> None:
        """Have the server drop the parts. Where that fails, the bucket's lifecycle rule is left to do it."""
        if self._id is None:
            return
        try:
            self._request("abort_multipart_upload", self._key, UploadId=self._id)
        except transport_errors() as error:
            logger.warning(
                "the parts of an upload to %s (key %r) could not be removed: %s",
                self._location,
                self._key,
                type(error).__name__,
            )
