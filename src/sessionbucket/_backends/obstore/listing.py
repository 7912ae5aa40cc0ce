"""One page of a listing with a delimiter, built from obstore's listings, which page without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessionbucket._backends.obstore.requests import listed
from sessionbucket._core.objects import ObjectInfo, ObjectPage
from sessionbucket._core.store_url import Cloud

_LAST = "\U0010ffff"


class Page:
    """Collects rows until the page is full or the listing ends.

    obstore lists every key below a folder. So the keys of a deeper folder become its one row, and a new listing
    starts after that folder. obstore accepts a key to start after, not one to start at, so a listing starts just before the
    prefix. A server that ignores the start lists from the first key: then the rows before it are skipped.
    """

    def __init__(self, prefix: str, delimiter: str, start_after: str, limit: int, cloud: Cloud) -> None:
        self._prefix = prefix
        self._delimiter = delimiter
        self._start_after = start_after
        self._limit = limit
        self._cloud = cloud
        self._objects: list[ObjectInfo] = []
        self._folders: list[str] = []
        self._skipped_to: set[str] = set()
        self._ended = False
        self._begun_after = ""
        self.skips_folder = False
        """Whether to start a new listing after the folder of the last row, instead of reading through the folder."""
        before = _before(prefix)
        # obstore omits a slash at the end of the key to start after, and SeaweedFS then leaves out the whole folder. So its keys are
        # listed first, and the keys after it in a second listing.
        is_folder = not delimiter and start_after.endswith("/")
        self._first_folder = start_after if is_folder and start_after.startswith(prefix) else ""
        if is_folder and prefix.startswith(start_after):
            start_after = self._first_folder = ""
        skipped = is_folder or (delimiter and start_after.endswith(delimiter))
        behind = start_after + _LAST if start_after and skipped else start_after
        self._behind_first = self._behind = max(behind, before, key=str.encode)

    @property
    def folder(self) -> str | None:
        """The folder to list."""
        return (self._first_folder or self._prefix).rpartition("/")[0] or None

    def begin(self) -> str | None:
        """Start a listing, and return the key to start after."""
        if self.skips_folder:
            self._skipped_to.add(self._behind)
        self.skips_folder = False
        self._begun_after = "" if self._first_folder else self._behind
        return self._begun_after or None

    @property
    def wanted(self) -> int:
        """The number of missing rows; 0 when the page is complete."""
        return 0 if self._ended else self._limit - len(self._objects) - len(self._folders)

    def add(self, rows: Sequence[Any]) -> None:
        """Add the next rows of the listing, as far as they are missing."""
        prefix, delimiter = self._prefix, self._delimiter
        # S3 servers honour the start, and not all of them list in the order of keys.
        may_repeat = self._cloud != "s3"
        missing = self.wanted
        for meta in rows:
            if not missing:
                return
            key: str = meta["path"]
            if may_repeat and key <= self._begun_after:
                continue
            if not key.startswith(prefix):
                if key < prefix:
                    continue
                self._ended = True
                return
            place = key.find(delimiter, len(prefix)) if delimiter else -1
            if place >= 0:
                self._add_folder(key[: place + len(delimiter)])
                missing = self.wanted
                continue
            self.skips_folder = False
            self._behind = key
            # obstore omits a slash at the end of the key to start after.
            if key > self._start_after or not self._start_after.endswith("/"):
                self._objects.append(listed(meta, self._cloud))
                missing -= 1

    def _add_folder(self, folder: str) -> None:
        self._behind = folder + _LAST
        self.skips_folder = self._behind not in self._skipped_to
        if folder > self._start_after and folder not in self._folders:
            self._folders.append(folder)

    def end(self) -> None:
        """Note that the listing has no more rows."""
        self._ended = not self._first_folder
        self._first_folder = ""
        self._behind = max(self._behind, self._behind_first, key=str.encode)

    def page(self) -> ObjectPage:
        last = max(
            [*(info.key for info in self._objects[-1:]), *self._folders[-1:]], key=str.encode, default=""
        )
        return ObjectPage(self._objects, self._folders, None if self._ended else last or None)


def _before(prefix: str) -> str:
    """A key shortly before every key that starts with the prefix."""
    if not prefix or prefix.endswith("/"):
        return ""
    before = chr(ord(prefix[-1]) - 1)
    if before == "/" and (len(prefix) == 1 or prefix[-2] == "/"):
        before = "."  # obstore refuses an empty segment, and no key has one
    return prefix[:-1] + (before + _LAST if before.isprintable() else "")
