"""The rows of a folder: all its names are read, and then no more is looked at than is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from heapq import heapify, heappop

from sessionbucket._backends.file.entries import is_key, listed
from sessionbucket._core.objects import ObjectInfo, ObjectPage

Row = tuple[str, "os.DirEntry[str]"]
Scan = Callable[[str], AbstractContextManager[Iterator["os.DirEntry[str]"]]]
"""Opens a folder by the part of its keys that ends in its slash (``""`` for the root)."""

_FEW = 8  # taking one row off a heap costs about as much as sorting eight


def page_of(scan: Scan, prefix: str, *, delimiter: str, start_after: str, limit: int) -> ObjectPage:
    """At most ``limit`` rows under the prefix that come after ``start_after``, as the port has it."""
    objects: list[ObjectInfo] = []
    folders: list[str] = []
    last = ""
    for key, entry in _rows(scan, prefix, start_after, limit, recursive=not delimiter):
        is_folder = key[-1] == "/"
        info = None if is_folder else _look_at(key, entry)
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
    """Keys and folders with their entries.

    They are compared as texts, code point by code point, which is the order of their UTF-8 bytes.
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
            # A folder's row has a slash more, and to one that is gone into, keys after it belong.
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
    if limit * _FEW > len(rows):
        rows.sort()
        yield from rows
        return
    heapify(rows)
    while rows:
        yield heappop(rows)


def _look_at(key: str, entry: os.DirEntry[str]) -> ObjectInfo | None:
    """The object of a row, or None where it has gone since the folder was read."""
    try:
        return listed(key, entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None
