# Generated from sessionbucket/_async/legacy_names.py by scripts/generate_sync.py: do not edit.
"""Sessions under their legacy names: the keys that a3s-code up to 4.x gave them (docs/a3s-code.md)."""

from __future__ import annotations

import json

from sessionbucket._codec.compression import decompressed
from sessionbucket._core.keys import SessionKeys, StoreKeys
from sessionbucket._core.objects import StoredObject
from sessionbucket._sync.bucket import Bucket
from sessionbucket.errors import (
    NotSupportedError,
    ObjectTooLargeError,
    SessionCorruptedError,
    shorten,
)


class LegacyNames:
    """Finds the key of a session: its encoded id, or its legacy name.

    Several ids share a legacy name, so an object there belongs to a session only if it contains the session's id.
    """

    def __init__(self, bucket: Bucket, keys: StoreKeys, max_bytes: int) -> None:
        self._bucket = bucket
        self._keys = keys
        self._max_bytes = max_bytes

    def find(self, id: str) -> tuple[SessionKeys, StoredObject] | None:
        """The keys and the object of the session under its legacy name. An id with only one name costs no request."""
        keys = self._keys.legacy_keys(id)
        if keys is None:
            return None
        try:
            found = self._bucket.get(keys.session, max_bytes=self._max_bytes)
        except NotSupportedError:
            return None  # a bucket that does not support this key has no object at it
        found = decompressed(found, max_bytes=self._max_bytes) if found else None
        return (keys, found) if found and inner_id(found.body) == id else None

    def current_keys(self, id: str) -> SessionKeys:
        """The keys that the session has, or those of its encoded id when it does not exist.

        An id with only one name costs no request.
        """
        keys = self._keys.of_session(id)
        if self._keys.legacy_keys(id) is None or self._bucket.exists(keys.session):
            return keys
        found = self.find(id)
        return found[0] if found else keys

    def key_to_overwrite(self, id: str) -> str:
        """The session's key. Raises ``SessionCorruptedError`` when it contains another session, which must not be lost."""
        keys = self.current_keys(id)
        self.check_key_is_free_for(id, keys.session)
        return keys.session

    def check_key_is_free_for(self, id: str, key: str) -> None:
        """Raises ``SessionCorruptedError`` when the object at this key contains another session that belongs there.

        a3s-code may have written it (``foo/bar`` at the key of ``foo_bar``), or the file system may take two
        spellings for one name. An id without ``_`` in a bucket that distinguishes case costs no request.
        """
        distinguishes_case = self._bucket.capabilities.distinguishes_case
        if "_" not in id and distinguishes_case:
            return
        try:
            found = self._bucket.get(key, max_bytes=self._max_bytes)
        except ObjectTooLargeError:
            return  # an object that this store cannot load is no session of this store
        inside = inner_id(decompressed(found, max_bytes=self._max_bytes).body) if found else None
        if not isinstance(inside, str) or inside == id:
            return
        if self._keys.is_legacy_key(inside, key):
            raise SessionCorruptedError(key, f"it contains session {shorten(inside)}, which a3s-code wrote")
        if inside.lower() == id.lower() and not distinguishes_case:
            raise SessionCorruptedError(
                key,
                f"it contains session {shorten(inside)}, and this file system does not distinguish the two ids",
            )


def inner_id(body: bytes) -> object:
    """The value of ``id`` in a JSON object, or None when the body is no JSON object."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document.get("id") if isinstance(document, dict) else None
