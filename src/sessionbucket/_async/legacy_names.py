"""Sessions under their legacy names: the keys that a3s-code up to 4.x gave them (docs/format.md)."""

from __future__ import annotations

import json

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._core.keys import SessionKeys, StoreKeys
from sessionbucket._core.objects import JSON_CONTENT_TYPE, IfAbsent, StoredObject
from sessionbucket.errors import (
    NotSupportedError,
    ObjectTooLargeError,
    PreconditionFailedError,
    SessionCorruptedError,
    shorten,
)


class AsyncLegacyNames:
    """Finds sessions under their legacy names, and moves them to their encoded keys.

    Several ids share a legacy name, so an object there belongs to a session only if it contains the session's id.
    """

    def __init__(self, bucket: AsyncBucket, keys: StoreKeys, max_bytes: int) -> None:
        self._bucket = bucket
        self._keys = keys
        self._max_bytes = max_bytes

    async def find(self, id: str) -> tuple[SessionKeys, StoredObject] | None:
        """The keys and the object of the session under its legacy name. An id with only one name costs no request."""
        keys = self._keys.legacy_keys(id)
        if keys is None:
            return None
        try:
            found = await self._bucket.get(keys.session, max_bytes=self._max_bytes)
        except NotSupportedError:
            return None  # a bucket that does not support this key has no object at it
        return (keys, found) if found and inner_id(found.body) == id else None

    async def check_key_is_free_for(self, id: str, key: str) -> None:
        """Raises ``SessionCorruptedError`` when the object at this key contains another session that belongs there.

        a3s-code may have written it (``foo/bar`` at the key of ``foo_bar``), or the file system may take two
        spellings for one name. An id without ``_`` in a bucket that distinguishes case costs no request.
        """
        distinguishes_case = self._bucket.capabilities.distinguishes_case
        if "_" not in id and distinguishes_case:
            return
        try:
            found = await self._bucket.get(key, max_bytes=self._max_bytes)
        except ObjectTooLargeError:
            return  # an object that this store cannot load is no session of this store
        inside = inner_id(found.body) if found else None
        if not isinstance(inside, str) or inside == id:
            return
        if self._keys.is_legacy_key(inside, key):
            raise SessionCorruptedError(key, f"it contains session {shorten(inside)}, which a3s-code wrote")
        if inside.lower() == id.lower() and not distinguishes_case:
            raise SessionCorruptedError(
                key,
                f"it contains session {shorten(inside)}, and this file system does not distinguish the two ids",
            )

    async def copy_parts(self, old: SessionKeys, new: SessionKeys) -> None:
        """Copy the parts to the new keys, except those that exist there."""
        for source, target in zip(_part_keys(old), _part_keys(new), strict=True):
            part = await self._bucket.get(source, max_bytes=self._max_bytes)
            if part is None:
                continue
            try:
                await self._bucket.put(
                    target, part.body, condition=IfAbsent(), content_type=JSON_CONTENT_TYPE
                )
            except PreconditionFailedError:
                continue

    async def remove(self, old: SessionKeys) -> None:
        """Delete the parts under the legacy name, and then the session."""
        await self._bucket.delete(_part_keys(old))
        await self._bucket.delete([old.session])


def _part_keys(keys: SessionKeys) -> list[str]:
    return [keys.artifacts, keys.traces, keys.verification]


def inner_id(body: bytes) -> object:
    """The value of ``id`` in a JSON object, or None when the body is no JSON object."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document.get("id") if isinstance(document, dict) else None
