"""What a bucket may send as a header: content types and metadata, checked before any request."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sessionbucket.errors import InvalidArgumentError

METADATA_LIMIT = 2048
"""The most bytes of all names and values of metadata together, as S3 counts them."""
_OWN_ENTRY = len("crc32") + 8
"""The bytes of the entry that a bucket adds itself (``body_checksum``)."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_RULE = "it must be visible ASCII characters, with spaces only in between"


def check_headers(content_type: str, metadata: Mapping[str, str]) -> None:
    """Raises ``InvalidArgumentError`` for a content type or metadata that no header can carry, or that S3 refuses."""
    if not isinstance(content_type, str) or not _VALUE.fullmatch(content_type):
        raise InvalidArgumentError(f"content type {_short(content_type)} is refused: {_RULE}")
    size = _OWN_ENTRY
    for name, value in metadata.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidArgumentError(
                f"metadata name {_short(name)} is refused: it must be letters, digits and the punctuation of a header name"
            )
        if not isinstance(value, str) or not (value == "" or _VALUE.fullmatch(value)):
            raise InvalidArgumentError(f"the value of metadata entry {_short(name)} is refused: {_RULE}")
        size += len(name) + len(value)
    if size > METADATA_LIMIT:
        raise InvalidArgumentError(
            f"the metadata is refused: its names and values have {size:,} bytes with the checksum of the bucket, more than "
            f"the {METADATA_LIMIT:,} that S3 allows"
        )


def _short(value: object, limit: int = 80) -> str:
    text = ascii(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
