"""One page of a listing out of obstore's, which knows whole folders only, and no delimiter where it pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessionbucket._backends.obstore.requests import row
from sessionbucket._core.objects import ObjectInfo, ObjectPage
from sessionbucket._core.store_url import Cloud

_LAST = "\U0010ffff"


class Page:
    """Collects rows until the page is full or the listing has ended.

    obstore lists every key below a folder; so keys that belong to a deeper folder become its one row, and the listing is
    begun again behind that folder. It takes a place to begin after, not one to begin at; so the place just before the
    prefix is given. A server that takes no such place begins at the first key again: then what lies before it is passed over.
    """

    def __init__(self, prefix: str, delimiter: str, start_after: str, limit: int, cloud: Cloud) -> None:
        self._prefix = prefix
        self._delimiter = delimiter
        self._start_after = start_after
        self._limit = limit
        self._cloud = cloud
        self._objects: list[ObjectInfo] = []
        self._folders: list[str] = []
        self._leapt_to: set[str] = set()
        self._ended = False
        self._begun_after = ""
        self.leaps = False
        """Whether to begin again, behind the folder that the last row lies in, instead of going on through it."""
        before = _before(prefix)
        behind = start_after + _LAST if delimiter and start_after.endswith(delimiter) else start_after
        self._behind = max(behind, before, key=str.encode)

    @property
    def folder(self) -> str | None:
        """The folder to list."""
        return self._prefix.rpartition("/")[0] or None

    def begin(self) -> str | None:
        """Begin a listing; gives what to list after."""
        if self.leaps:
            self._leapt_to.add(self._behind)
        self.leaps = False
        self._begun_after = self._behind
        return self._behind or None

    @property
    def wanted(self) -> int:
        """How many more rows; 0 where the page is complete."""
        return 0 if self._ended else self._limit - len(self._objects) - len(self._folders)

    def add(self, rows: Sequence[Any]) -> None:
        """Take the next rows of the listing, as far as they are wanted."""
        for meta in rows:
            if not self.wanted:
                return
            self._add(meta)

    def _add(self, meta: Any) -> None:
        key: str = meta["path"]
        # S3 servers take the place to begin after, and not all of them list in the order of keys.
        if self._cloud != "s3" and key <= self._begun_after:
            return
        if not key.startswith(self._prefix):
            self._ended = key > self._prefix
            return
        folder = self._folder_of(key)
        self.leaps = folder is not None and folder + _LAST not in self._leapt_to
        if folder is not None:
            self._behind = folder + _LAST
            if folder > self._start_after and folder not in self._folders:
                self._folders.append(folder)
            return
        self._behind = key
        # obstore leaves out the slash at the end of a place to begin after.
        if key > self._start_after or not self._start_after.endswith("/"):
            self._objects.append(row(meta, self._cloud))

    def end(self) -> None:
        """Take note that the listing has no more rows."""
        self._ended = True

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
