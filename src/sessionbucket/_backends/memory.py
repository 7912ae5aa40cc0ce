"""The objects of a bucket in memory, which the buckets of both sides may have in common."""

from __future__ import annotations

from bisect import bisect_left, insort
from datetime import datetime
from threading import Lock

from sessionbucket._core.objects import PAGE_LIMIT, Always, Condition, ObjectInfo, ObjectPage, StoredObject
from sessionbucket.errors import ObjectTooLargeError, PreconditionFailedError


class MemoryObjects:
    """Objects with S3's versions, conditions and listing order. It is safe for several threads."""

    def __init__(self, location: str) -> None:
        self.location = location
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
            if before is None:
                insort(self._keys, key.encode())
            self._objects[key] = found

    def delete(self, key: str) -> None:
        with self._lock:
            self._remove(key)

    def delete_if(self, key: str, version: str) -> None:
        with self._lock:
            found = self._objects.get(key)
            if found is not None and found.info.version != version:
                raise PreconditionFailedError(key, location=self.location)
            self._remove(key)

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


def _listed(info: ObjectInfo) -> ObjectInfo:
    """The object as S3 lists it."""
    return ObjectInfo(info.key, info.size, info.updated_at, info.version)


_named: dict[str, MemoryObjects] = {}


def named_objects(name: str) -> MemoryObjects:
    """The objects of this name in this process, empty at first."""
    return _named.setdefault(name, MemoryObjects(f"memory://{name}"))
