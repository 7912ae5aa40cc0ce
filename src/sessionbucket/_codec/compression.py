"""Compression of the JSON of sessions and their parts, by zstd. The first bytes of a body show whether it is compressed."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Literal

from sessionbucket._core.body_checksum import codec_checksum, is_printed
from sessionbucket._core.objects import ZSTD_START, StoredObject
from sessionbucket.errors import (
    InvalidArgumentError,
    NotSupportedError,
    SessionCorruptedError,
    SessionTooLargeError,
)

Compression = Literal["zstd"]


def check_compression(compression: Any, *, is_folder: bool) -> None:
    """Raises ``InvalidArgumentError`` for an unknown one or one in a folder, and ``NotSupportedError`` without its library."""
    if compression != "zstd":
        raise InvalidArgumentError(f"compression {compression!r} is refused: it must be 'zstd' or None")
    if is_folder:
        raise InvalidArgumentError(
            "compression is refused: a folder keeps plain JSON, so that a3s-code and other programs can read it"
        )
    _zstd()


def compressed(text: bytes) -> bytes:
    """The text, compressed."""
    body: bytes = _zstd().compress(text)
    return body


def decompressed(found: StoredObject, *, max_bytes: int) -> StoredObject:
    """The object with its text as its body, and with a checksum of the text if that of the body matches.

    Raises ``SessionTooLargeError`` for a text above ``max_bytes``, before it is in memory as a whole; ``SessionCorruptedError`` for a
    body that is cut off or damaged; and ``NotSupportedError`` without the library.
    """
    if not found.body.startswith(ZSTD_START):
        return found
    zstd, key = _zstd(), found.info.key
    reader = zstd.ZstdDecompressor()
    try:
        text = reader.decompress(found.body, max_length=max_bytes + 1)
    except zstd.ZstdError:
        text = b""
    if len(text) > max_bytes:
        raise SessionTooLargeError(key, size=len(text), limit=max_bytes)
    if not reader.eof or reader.unused_data:
        raise SessionCorruptedError(key, "its compressed text is damaged")
    info = found.info
    if is_printed(found):
        info = info._replace(metadata={**info.metadata, **codec_checksum(text)})
    return StoredObject(info, text)


def _zstd() -> Any:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return import_module(name)
    except ImportError as error:
        raise NotSupportedError("compressed sessions need zstd: install sessionbucket[zstd]") from error
