"""Frames: a document of one JSON line and named blobs, for serializers that give a type and bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sessionbucket.errors import InvalidArgumentError, SessionCorruptedError, shorten

_FORMAT = 1

Blob = tuple[str, bytes]


class Frame(NamedTuple):
    """A decoded frame: the header, and the blobs by their names, each with its type."""

    header: dict[str, Any]
    blobs: dict[str, Blob]


def encode_frame(header: Mapping[str, Any], blobs: Mapping[str, Blob]) -> bytes:
    """Encode a document of a JSON header and named blobs, each ``(type, bytes)``.

    The document begins with a format version. Facts about the document belong in the header, because a folder keeps no metadata of
    objects. Raises ``InvalidArgumentError`` for a header that JSON cannot hold.
    """
    rows = [(name, kind, len(data)) for name, (kind, data) in blobs.items()]
    try:
        line = json.dumps(
            {"format": _FORMAT, "header": dict(header), "blobs": rows}, allow_nan=False, separators=(",", ":")
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"the header of a frame cannot be written as JSON: {error}") from error
    return b"".join([line.encode(), b"\n", *(data for _, data in blobs.values())])


def decode_frame(body: bytes, key: str) -> Frame:
    """Decode a document of ``encode_frame``; ``key`` is for messages.

    Raises ``SessionCorruptedError`` for any other document, a damaged one, and a format that this release does not read.
    """
    line, _, rest = body.partition(b"\n")
    header, rows = _decode_line(line, key)
    blobs = {}
    at = 0
    for name, kind, size in rows:
        blobs[name] = (kind, rest[at : at + size])
        at += size
    if at != len(rest):
        raise SessionCorruptedError(key, f"its blobs have {len(rest)} bytes, and its first line names {at}")
    return Frame(header, blobs)


def decode_frame_header(body: bytes, key: str) -> dict[str, Any] | None:
    """Decode the header in the first bytes of a frame, or return None when its line is longer. Raises ``SessionCorruptedError``."""
    line, end, _ = body.partition(b"\n")
    return _decode_line(line, key)[0] if end else None


def _decode_line(line: bytes, key: str) -> tuple[dict[str, Any], list[tuple[str, str, int]]]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    match found:
        case {"format": 1, "header": dict(header), "blobs": list(rows)}:
            return header, [_row(row, key) for row in rows]
        case {"format": version} if version != _FORMAT:
            raise SessionCorruptedError(
                key,
                f"its format is {shorten(str(version))}, and this release reads format {_FORMAT}; use a later release of sessionbucket",
            )
    raise SessionCorruptedError(key, "line 1 is not the first line of a frame")


def _row(row: Any, key: str) -> tuple[str, str, int]:
    match row:
        case [str(name), str(kind), int(size)] if size >= 0:
            return name, kind, size
    raise SessionCorruptedError(key, "its first line names a blob that cannot be one")
