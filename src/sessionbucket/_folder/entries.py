"""Which files of a folder are objects, and what is known of them without opening them."""

from __future__ import annotations

import mimetypes
import os
from datetime import UTC, datetime
from pathlib import Path

from sessionbucket.objects import ObjectInfo

BOOKKEEPING = ".sessionbucket"
LOCKS = "locks"


def described(key: str, status: os.stat_result, version: str | None) -> ObjectInfo:
    """The object that a file is."""
    return ObjectInfo(
        key=key,
        size=status.st_size,
        updated_at=datetime.fromtimestamp(status.st_mtime, UTC),
        version=version,
        content_type=_content_type(key),
    )


def _content_type(key: str) -> str:
    """A folder keeps no content type, so the name tells it."""
    guessed, encoding = mimetypes.guess_type(key, strict=True)
    return guessed if guessed and not encoding else "application/octet-stream"


def is_listed(base: str, entry: os.DirEntry[str]) -> bool:
    """Links, pipes and the like, temporary files, locks, and names that are not UTF-8 are no keys."""
    name = entry.name
    if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
        return False
    if name.startswith(".") and name.endswith(".tmp"):
        return False
    if not base and name == BOOKKEEPING:
        return {each.name for each in Path(entry.path).iterdir()} - {LOCKS} != set()
    if base == f"{BOOKKEEPING}/" and name == LOCKS:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
