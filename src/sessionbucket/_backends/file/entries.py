"""Which files of a folder are objects, and what is known of them without opening them."""

from __future__ import annotations

import mimetypes
import os
from datetime import UTC, datetime
from pathlib import Path

from sessionbucket._core.objects import ObjectInfo

BOOKKEEPING = ".sessionbucket"
LOCKS = "locks"


def described(key: str, status: os.stat_result, version: str | None) -> ObjectInfo:
    """The object that a file is. A folder keeps no content type, so the name tells it."""
    guessed, encoding = mimetypes.guess_type(key, strict=True)
    return ObjectInfo(
        key=key,
        size=status.st_size,
        updated_at=_updated_at(status),
        version=version,
        content_type=guessed if guessed and not encoding else "application/octet-stream",
    )


def listed(key: str, status: os.stat_result) -> ObjectInfo:
    """What a listing tells of a file."""
    return ObjectInfo(key, status.st_size, _updated_at(status))


def _updated_at(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime, UTC)


def is_key(base: str, entry: os.DirEntry[str]) -> bool:
    """Temporary files, locks, and names that are not UTF-8 are no keys."""
    name = entry.name
    if name[0] == ".":
        if name.endswith(".tmp"):
            return False
        if not base and name == BOOKKEEPING:
            return {each.name for each in Path(entry.path).iterdir()} - {LOCKS} != set()
    if base == f"{BOOKKEEPING}/" and name == LOCKS:
        return False
    return name.isascii() or _is_utf8(name)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
