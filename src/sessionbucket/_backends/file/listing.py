"""Which files of a folder are objects, and the pages of a listing. A listing opens no file."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from heapq import heapify, heappop
from pathlib import Path

from sessionbucket._core.objects import ObjectInfo, ObjectPage

BOOKKEEPING = ".sessionbucket"
LOCKS = "locks"
TEMPORARY = "tmp"

Row = tuple[str, "os.DirEntry[str]"]
Scan = Callable[[str], AbstractContextManager[Iterator["os.DirEntry[str]"]]]
"""Opens a folder by the part of its keys up to its slash (``""`` for the root)."""

_SORTED_FOR_ONE_POP = 8  # one heappop costs about as much as sorting eight rows


def described(key: str, status: os.stat_result, version: str | None) -> ObjectInfo:
    """The object in a file. A folder keeps no content type, so it is guessed from the name."""
    guessed, encoding = mimetypes.guess_type(key, strict=True)
    return ObjectInfo(
        key=key,
        size=status.st_size,
        updated_at=_updated_at(status),
        version=version,
        content_type=guessed if guessed and not encoding else "application/octet-stream",
    )


def listed(key: str, status: os.stat_result) -> ObjectInfo:
    """The object in a file, as a listing describes it."""
    return ObjectInfo(key, status.st_size, _updated_at(status))


def _updated_at(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime, UTC)


def is_key(base: str, entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a key or a folder of keys: no lock, no temporary file, and no name that is not UTF-8."""
    name = entry.name
    if not base and name == BOOKKEEPING:
        return {each.name for each in Path(entry.path).iterdir()} - {LOCKS, TEMPORARY} != set()
    if base == f"{BOOKKEEPING}/" and name in (LOCKS, TEMPORARY):
        return False
    return name.isascii() or is_utf8(name)


def is_utf8(name: str) -> bool:
    """Whether a file name, as Python decodes it, is UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def page_of(scan: Scan, prefix: str, *, delimiter: str, start_after: str, limit: int) -> ObjectPage:
    """At most ``limit`` rows under the prefix after ``start_after``, as the port defines it."""
    objects: list[ObjectInfo] = []
    folders: list[str] = []
    last = ""
    for key, entry in _rows(scan, prefix, start_after, limit, recursive=not delimiter):
        is_folder = key[-1] == "/"
        info = None if is_folder else _listed_or_none(key, entry)
        if info is None and not is_folder:
            continue
        if len(objects) + len(folders) == limit:
            return ObjectPage(objects, folders, last)
        if info is None:
            folders.append(key)
        else:
            objects.append(info)
        last = key
    return ObjectPage(objects, folders, None)


def _rows(scan: Scan, prefix: str, after: str, limit: int, *, recursive: bool) -> Iterator[Row]:
    """Keys and folders with their entries, in order.

    Python compares strings by code points, which is the order of their UTF-8 bytes.
    """
    base = prefix[: prefix.rfind("/") + 1]
    start = prefix[len(base) :]
    found: list[Row] = []
    with scan(base) as entries:
        for entry in entries:
            name = entry.name
            if start and not name.startswith(start):
                continue
            key = base + name
            # A folder's row has an additional slash, and keys below it may come after ``after``.
            if key <= after and not after.startswith(key):
                continue
            is_folder = entry.is_dir(follow_symlinks=False)
            if (is_folder or entry.is_file(follow_symlinks=False)) and is_key(base, entry):
                found.append((f"{key}/" if is_folder else key, entry))
    for key, entry in _in_order(found, limit):
        if recursive and key.endswith("/"):
            yield from _rows(scan, key, after, limit, recursive=True)
        elif key > after:
            yield key, entry


def _in_order(rows: list[Row], limit: int) -> Iterator[Row]:
    if limit * _SORTED_FOR_ONE_POP > len(rows):
        rows.sort()
        yield from rows
        return
    heapify(rows)
    while rows:
        yield heappop(rows)


def _listed_or_none(key: str, entry: os.DirEntry[str]) -> ObjectInfo | None:
    """The object of a row, or None when it was deleted since the folder was read."""
    try:
        return listed(key, entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None
