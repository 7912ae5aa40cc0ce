"""Sessions that a3s-code wrote under a name of its own making (docs/format.md says how it makes them)."""

from __future__ import annotations

import json

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._core.keys import Layout, SessionKeys
from sessionbucket._core.objects import JSON, Absent, PreconditionFailedError, StoredObject
from sessionbucket.errors import NotSupportedError, SessionCorruptedError, SessionTooLargeError, shorten


class AsyncReferenceNames:
    """Finds such sessions, and helps to move them to the keys of this store.

    Several ids share a name of a3s-code's, so an object there is a session's only if the id inside says so.
    """

    def __init__(self, bucket: AsyncBucket, layout: Layout, max_bytes: int) -> None:
        self._bucket = bucket
        self._layout = layout
        self._max_bytes = max_bytes

    async def find(self, id: str) -> tuple[SessionKeys, StoredObject] | None:
        """The keys and the object of the session under its other name; no request for an id that has only one."""
        keys = self._layout.reference_keys(id)
        if keys is None:
            return None
        try:
            found = await self._bucket.get(keys.session, max_bytes=self._max_bytes)
        except NotSupportedError:
            return None  # a bucket that cannot name the key holds nothing there
        return (keys, found) if found and inner_id(found.body) == id else None

    async def refuse_anothers(self, id: str, key: str) -> None:
        """Raises ``SessionCorruptedError`` where the object at this id's key is another id's session, in its place.

        a3s-code may have put it there (``foo/bar`` at the key of ``foo_bar``), or a file system that takes two
        spellings for one name. An id without ``_`` in a bucket that distinguishes case costs no request.
        """
        if "_" not in id and self._bucket.distinguishes_case:
            return
        try:
            found = await self._bucket.get(key, max_bytes=self._max_bytes)
        except SessionTooLargeError:
            return  # what nobody can load here is nobody's session here
        inside = inner_id(found.body) if found else None
        if not isinstance(inside, str) or inside == id:
            return
        if self._layout.is_reference_key(inside, key):
            raise SessionCorruptedError(key, f"a3s-code keeps another session here, {shorten(inside)}")
        if inside.lower() == id.lower() and not self._bucket.distinguishes_case:
            raise SessionCorruptedError(
                key,
                f"this file system does not tell {shorten(id)} from {shorten(inside)}, which is the id inside",
            )

    async def copy_parts(self, old: SessionKeys, new: SessionKeys) -> None:
        """Bring the parts to the new keys, except those that are there already."""
        for source, target in zip(_part_keys(old), _part_keys(new), strict=True):
            part = await self._bucket.get(source, max_bytes=self._max_bytes)
            if part is None:
                continue
            try:
                await self._bucket.put(target, part.body, condition=Absent(), content_type=JSON)
            except PreconditionFailedError:
                continue

    async def remove(self, old: SessionKeys) -> None:
        """Remove the parts under the old name, and then the session."""
        await self._bucket.delete(_part_keys(old))
        await self._bucket.delete([old.session])


def _part_keys(keys: SessionKeys) -> list[str]:
    return [keys.artifacts, keys.traces, keys.verification]


def inner_id(body: bytes) -> object:
    """What stands under ``id`` in a JSON object, or None where that can't be read."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document.get("id") if isinstance(document, dict) else None
