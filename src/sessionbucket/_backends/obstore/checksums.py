"""Whether a body is the one that was written, told by its ETag: obstore checks nothing and gives no other checksum.

S3's ETag of a plain PUT is the MD5 of the body, and that of a multipart upload the MD5 of the parts' MD5s and their
number. Not so under KMS and customer keys, and not on every server; so an ETag is believed only on a server that is known
to make them so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from sessionbucket._core.objects import quoted_md5, version_of

PART_BYTES = "partbytes"
"""The metadata of an upload in parts that tells how large they are, all but the last."""
_PLAIN = re.compile(r'"[0-9a-f]{32}"')
_IN_PARTS = re.compile(r'"[0-9a-f]{32}-\d+"')


def could_be_md5(version: str | None) -> bool:
    """Whether an ETag looks like that of a plain PUT."""
    return _PLAIN.fullmatch(version or "") is not None


def is_md5_of(body: bytes, version: str | None) -> bool:
    """Whether the ETag is that of a plain PUT of the body."""
    return version_of(body) == version


class StreamChecksum:
    """The ETag of a body that comes in chunks."""

    def __init__(self, version: str | None, metadata: Mapping[str, str]) -> None:
        self._version = version or ""
        self._part_bytes = 0
        if _IN_PARTS.fullmatch(self._version) and metadata.get(PART_BYTES, "").isdecimal():
            self._part_bytes = int(metadata[PART_BYTES])
        self.can_tell = bool(self._part_bytes) or could_be_md5(self._version)
        self._part = hashlib.md5(usedforsecurity=False)
        self._filled = 0
        self._parts: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
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
        """Whether all that was added is what the ETag tells of."""
        if not self._part_bytes:
            return quoted_md5(self._part) == self._version
        if self._filled:
            self._finish_part()
        whole = hashlib.md5(b"".join(self._parts), usedforsecurity=False)
        return f'"{whole.hexdigest()}-{len(self._parts)}"' == self._version
