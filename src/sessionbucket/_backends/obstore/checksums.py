"""Comparing a stream with its ETag. obstore verifies no body, and returns no other checksum.

S3's ETag of a plain PUT is the MD5 of the body. That of a multipart upload is the MD5 of the parts' MD5s, and their
number. Under KMS and customer keys and on some servers it is neither. So an ETag proves something only on a server whose
ETags are known to be MD5s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sessionbucket._core.objects import is_md5_version, is_multipart_md5_version, version_of_md5

PART_BYTES = "partbytes"
"""The metadata entry of a multipart upload with the size of its parts; the last may be smaller."""


class StreamChecksum:
    """The ETag of a body that arrives in chunks."""

    def __init__(self, version: str | None, metadata: Mapping[str, str]) -> None:
        self._version = version or ""
        self._part_bytes = 0
        if is_multipart_md5_version(self._version) and metadata.get(PART_BYTES, "").isdecimal():
            self._part_bytes = int(metadata[PART_BYTES])
        self.is_comparable = bool(self._part_bytes) or is_md5_version(self._version)
        self._part = hashlib.md5(usedforsecurity=False)
        self._filled = 0
        self._parts: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        """Add the next bytes."""
        view = memoryview(chunk)
        while self._part_bytes and self._filled + len(view) >= self._part_bytes:
            rest = self._part_bytes - self._filled
            self._part.update(view[:rest])
            self._finish_part()
            view = view[rest:]
        self._part.update(view)
        self._filled += len(view)

    def _finish_part(self) -> None:
        self._parts.append(self._part.digest())
        self._part = hashlib.md5(usedforsecurity=False)
        self._filled = 0

    def matches(self) -> bool:
        """Whether the ETag is that of all added bytes."""
        if not self._part_bytes:
            return version_of_md5(self._part) == self._version
        if self._filled:
            self._finish_part()
        whole = hashlib.md5(b"".join(self._parts), usedforsecurity=False)
        return f'"{whole.hexdigest()}-{len(self._parts)}"' == self._version
