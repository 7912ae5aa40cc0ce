"""The objects of a bucket in memory, which the buckets of both sides may have in common."""

from __future__ import annotations

from bisect import bisect_left, insort
from datetime import datetime
from threading import Lock
from typing import NamedTuple
from uuid import uuid4

from sessionbucket._core.objects import (
    PAGE_LIMIT,
    Always,
    Condition,
    ObjectInfo,
    ObjectPage,
    ObjectVersion,
    StoredObject,
    VersionPage,
)
from sessionbucket.errors import ObjectTooLargeError, PreconditionFailedError


class _Version(NamedTuple):
    """A version, or a delete marker without an object."""

    version_id: str
    updated_at: datetime
    found: StoredObject | None


class MemoryObjects:
    """Objects with S3's versions, conditions and listing order. It is safe for several threads."""

    def __init__(self, location: str, *, keeps_versions: bool = False) -> None:
        self.location = location
        self.keeps_versions = keeps_versions
        self._versions: dict[str, list[_Version]] = {}
        self._objects: dict[str, StoredObject] = {}
        self._keys: list[bytes] = []
        self._lock = Lock()

    def get(self, key: str, *, max_bytes: int, first: int | None) -> StoredObject | None:
        found = self._objects.get(key)
        if found is None:
            return None
        size = min(found.info.size, first or found.info.size)
        if size > max_bytes:
            raise ObjectTooLargeError(key, size=size, limit=max_bytes)
        return StoredObject(found.info, found.body[:first]) if first else found

    def copy(self, source: str, target: str, now: datetime) -> bool:
        """Copy an object. Return whether the source exists."""
        found = self._objects.get(source)
        if found is None:
            return False
        self.put(StoredObject(found.info._replace(key=target, updated_at=now), found.body), Always())
        return True

    def put(self, found: StoredObject, condition: Condition) -> None:
        """Put the object at its key if the condition holds."""
        key = found.info.key
        with self._lock:
            before = self._objects.get(key)
            if not condition.holds(before.info.version if before else None):
                raise PreconditionFailedError(key, location=self.location, is_missing=before is None)
            self._set(key, found)
            self._keep(key, found, found.info.updated_at)

    def _set(self, key: str, found: StoredObject) -> None:
        if key not in self._objects:
            insort(self._keys, key.encode())
        self._objects[key] = found

    def _keep(self, key: str, found: StoredObject | None, now: datetime) -> None:
        if self.keeps_versions:
            self._versions.setdefault(key, []).append(_Version(uuid4().hex, now, found))

    def delete(self, key: str, now: datetime) -> None:
        """Delete the key. Like S3, a bucket with versions makes a delete marker even for a key that never existed."""
        with self._lock:
            self._remove(key)
            self._keep(key, None, now)

    def delete_if(self, key: str, version: str, now: datetime) -> None:
        with self._lock:
            found = self._objects.get(key)
            if found is not None and found.info.version != version:
                raise PreconditionFailedError(key, location=self.location)
            self._remove(key)
            self._keep(key, None, now)

    def _remove(self, key: str) -> None:
        if self._objects.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key.encode())]

    def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        page = ObjectPage([], [], None)
        with self._lock:
            at = bisect_left(self._keys, max(prefix, start_after).encode())
            last = ""
            while at < len(self._keys):
                key = self._keys[at].decode()
                if not key.startswith(prefix):
                    break
                cut = key.find(delimiter, len(prefix)) if delimiter else -1
                row = key if cut < 0 else key[: cut + len(delimiter)]
                if row.encode() > start_after.encode():
                    if len(page.objects) + len(page.folders) == limit:
                        return ObjectPage(page.objects, page.folders, last)
                    last = row
                    if cut < 0:
                        page.objects.append(_listed(self._objects[key].info))
                    else:
                        page.folders.append(row)
                at = bisect_left(self._keys, row.encode() + b"\xff") if cut >= 0 else at + 1
        return page

    def list_versions(self, prefix: str, start_after: tuple[str, str], limit: int) -> VersionPage:
        start_key, start_id = start_after
        found: list[ObjectVersion] = []
        with self._lock:
            keys = [key for key in self._versions if key.startswith(prefix) and key >= start_key]
            for key in sorted(keys, key=str.encode):
                rows = self._described(key)
                ids = [row.version_id for row in rows]
                if key == start_key:
                    rows = rows[ids.index(start_id) + 1 :] if start_id in ids else []
                found += rows
        if len(found) <= limit:
            return VersionPage(found, None)
        return VersionPage(found[:limit], (found[limit - 1].key, found[limit - 1].version_id))

    def _described(self, key: str) -> list[ObjectVersion]:
        """The versions of a key, newest first."""
        return [
            ObjectVersion(
                key,
                kept.version_id,
                is_current=age == 0,
                is_delete=kept.found is None,
                size=kept.found.info.size if kept.found else 0,
                updated_at=kept.updated_at,
                version=kept.found.info.version if kept.found else None,
            )
            for age, kept in enumerate(reversed(self._versions[key]))
        ]

    def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        found = next(
            (kept.found for kept in self._versions.get(key, ()) if kept.version_id == version_id), None
        )
        if found is not None and found.info.size > max_bytes:
            raise ObjectTooLargeError(key, size=found.info.size, limit=max_bytes)
        return found

    def erase(self, key: str, version_id: str) -> None:
        """Forget one version. The newest remaining one becomes the current one."""
        with self._lock:
            rest = [kept for kept in self._versions.pop(key, ()) if kept.version_id != version_id]
            if rest:
                self._versions[key] = rest
            newest = rest[-1].found if rest else None
            if newest is None:
                self._remove(key)
            else:
                self._set(key, newest)


def _listed(info: ObjectInfo) -> ObjectInfo:
    """The object as S3 lists it."""
    return ObjectInfo(info.key, info.size, info.updated_at, info.version)


_named: dict[str, MemoryObjects] = {}


def named_objects(name: str) -> MemoryObjects:
    """The objects of this name in this process, empty at first."""
    return _named.setdefault(name, MemoryObjects(f"memory://{name}"))
