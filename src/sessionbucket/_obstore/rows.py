"""One page of a listing out of obstore's, which knows whole folders only, and no delimiter where it pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessionbucket._obstore.requests import row
from sessionbucket.objects import ObjectInfo, ObjectPage
from sessionbucket.urls import Cloud

_LAST = "\U0010ffff"


class Page:
    """Collects rows until the page is full or the listing has ended.

    obstore lists every key below a folder; so keys that belong to a deeper folder become its one row, and the listing is
    begun again behind that folder. It takes a place to begin after, not one to begin at; so the place just before the
    prefix is given.
    """

    def __init__(self, prefix: str, delimiter: str, start_after: str, limit: int, cloud: Cloud) -> None:
        self._prefix = prefix
        self._delimiter = delimiter
        self._start_after = start_after
        self._limit = limit
        self._cloud = cloud
        self._objects: list[ObjectInfo] = []
        self._folders: list[str] = []
        self._ended = False
        before = _before(prefix)
        behind = start_after + _LAST if delimiter and start_after.endswith(delimiter) else start_after
        self._behind = max(behind, before, key=str.encode)

    @property
    def folder(self) -> str | None:
        """The folder to list."""
        return self._prefix.rpartition("/")[0] or None

    @property
    def offset(self) -> str | None:
        """What to list after."""
        return self._behind or None

    @property
    def wanted(self) -> int:
        """How many more rows; 0 where the page is complete."""
        return 0 if self._ended else self._limit - len(self._objects) - len(self._folders)

    def add(self, rows: Sequence[Any]) -> None:
        """Take the next rows of the listing, as many as were wanted or, at its end, fewer."""
        wanted = self.wanted
        for meta in rows:
            key = meta["path"]
            if not key.startswith(self._prefix):
                if key > self._prefix:
                    self._ended = True
                    return
                self._behind = key
                continue
            folder = self._folder_of(key)
            if folder is not None:
                self._behind = folder + _LAST
                if folder > self._start_after and folder not in self._folders:
                    self._folders.append(folder)
                continue
            self._behind = key
            # obstore leaves out the slash at the end of a place to begin after.
            if key > self._start_after or not self._start_after.endswith("/"):
                self._objects.append(row(meta, self._cloud))
        self._ended = len(rows) < wanted

    def _folder_of(self, key: str) -> str | None:
        if not self._delimiter:
            return None
        place = key.find(self._delimiter, len(self._prefix))
        return None if place < 0 else key[: place + len(self._delimiter)]

    def page(self) -> ObjectPage:
        last = max(
            [*(info.key for info in self._objects[-1:]), *self._folders[-1:]], key=str.encode, default=""
        )
        return ObjectPage(self._objects, self._folders, None if self._ended else last or None)


def _before(prefix: str) -> str:
    """A place shortly before every key that starts with the prefix."""
    if not prefix or prefix.endswith("/"):
        return ""
    before = chr(ord(prefix[-1]) - 1)
    return prefix[:-1] + (before + _LAST if before.isprintable() else "")
