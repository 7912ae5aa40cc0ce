"""The sources that a file can be stored from, as chunks of bytes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from sessionbucket.errors import InvalidArgumentError

CHUNK = 1 << 20
"""Bytes read or returned at a time."""

SyncFileSource = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO | Iterable[bytes]
FileSource = SyncFileSource | AsyncIterable[bytes]


def known_size(data: FileSource) -> int | None:
    """The number of bytes, when it is known before reading."""
    if isinstance(data, bytes | bytearray | memoryview):
        return memoryview(data).nbytes
    if isinstance(data, str | os.PathLike):
        try:
            return Path(data).stat().st_size
        except (OSError, ValueError) as error:
            raise _unreadable(data, error) from error
    return None


def iterate(data: SyncFileSource) -> Iterator[bytes]:
    """The data in chunks. A path is opened and closed; a file object is read from its position and left open."""
    match data:
        case bytes() | bytearray() | memoryview():
            view = memoryview(data)
            view = view.cast("B") if view.c_contiguous else memoryview(view.tobytes())
            return (bytes(view[start : start + CHUNK]) for start in range(0, len(view), CHUNK))
        case str() | os.PathLike():
            return _read_path(data)
    if hasattr(data, "read"):
        return iter(lambda: checked(data.read(CHUNK)), b"")
    if isinstance(data, Iterable):
        return (chunk for chunk in map(checked, data) if chunk)
    return iter([checked(data)])


def _read_path(path: str | os.PathLike[str]) -> Iterator[bytes]:
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def checked(chunk: Any) -> bytes:
    """The chunk as bytes. Raises ``InvalidArgumentError`` for text or anything else."""
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray | memoryview):
        return bytes(chunk)
    raise InvalidArgumentError(
        f"data is refused: it gives {type(chunk).__name__} instead of bytes; "
        "pass bytes, a path, a file opened in binary mode, or an iterator of bytes"
    )


def _unreadable(path: str | os.PathLike[str], error: OSError | ValueError) -> InvalidArgumentError:
    reason = getattr(error, "strerror", None) or error  # a ValueError is about a NUL or a lone surrogate
    return InvalidArgumentError(f"{os.fspath(path)!r} cannot be read: {reason}")
