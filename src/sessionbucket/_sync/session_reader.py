# Generated from sessionbucket/_async/session_reader.py by scripts/generate_sync.py: do not edit.
"""Reading the objects of sessions and their parts: under the encoded key, the legacy name, or in a snapshot."""

from __future__ import annotations

from typing import Generic, TypeVar

from sessionbucket._codec import Codec
from sessionbucket._codec.compression import decompressed
from sessionbucket._core.body_checksum import is_printed
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import StoredObject
from sessionbucket._core.session_version import StoredVersion, remember
from sessionbucket._core.write_ids import written_version
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.legacy_names import LegacyNames
from sessionbucket._sync.v1_snapshots import V1Snapshots
from sessionbucket.errors import ObjectTooLargeError, SessionCorruptedError, SessionTooLargeError, shorten

SessionT = TypeVar("SessionT")


class SessionReader(Generic[SessionT]):
    """Reads sessions of one model."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: Bucket,
        keys: StoreKeys,
        legacy: LegacyNames,
        v1: V1Snapshots,
        codec: Codec[SessionT],
        max_bytes: int,
    ) -> None:
        self._bucket = bucket
        self._keys = keys
        self._legacy = legacy
        self._v1 = v1
        self._codec = codec
        self._max_bytes = max_bytes

    def find(self, id: str) -> StoredObject | None:
        """The session's object, valid or not. Raises ``SessionCorruptedError`` for an unreadable snapshot."""
        found: StoredObject | None = self._v1.find_first(id)
        if found is None:
            found = self.get(self._keys.of_session(id).session)
        if found is None and (elsewhere := self._legacy.find(id)):
            found = elsewhere[1]
        return found or self._v1.find_last(id)

    def find_part(self, id: str, name: str) -> StoredObject | None:
        """The object of the part with this name, valid or not. Raises ``SessionCorruptedError`` for an unreadable snapshot."""
        if session := self._v1.find_first(id):
            return self._v1.get_part(session, name)
        found = self.get(self._keys.part_key(name, self._keys.of_session(id).stem))
        if found is None and (elsewhere := self._legacy.find(id)):
            found = self.get(self._keys.part_key(name, elsewhere[0].stem))
        if found is None and (session := self._v1.find_last(id)):
            found = self._v1.get_part(session, name)
        return found

    def get(self, key: str) -> StoredObject | None:
        """The object at a key, decompressed. Raises ``SessionTooLargeError``."""
        try:
            found = self._bucket.get(key, max_bytes=self._max_bytes)
        except ObjectTooLargeError as error:
            raise _too_large(error) from error.__cause__
        return None if found is None else decompressed(found, max_bytes=self._max_bytes)

    def get_version(self, key: str, version_id: str) -> StoredObject | None:
        """An earlier version of the object at a key, decompressed. Raises ``SessionTooLargeError``."""
        try:
            found = self._bucket.get_version(key, version_id, max_bytes=self._max_bytes)
        except ObjectTooLargeError as error:
            raise _too_large(error) from error.__cause__
        return None if found is None else decompressed(found, max_bytes=self._max_bytes)

    def are_same(self, one: StoredObject, two: StoredObject) -> bool:
        """Whether two valid objects contain the same session, whatever the layout of their texts."""
        return one.body == two.body or self._printed(one) == self._printed(two)

    def _printed(self, found: StoredObject) -> bytes:
        key = found.info.key
        return self._codec.encode(self._codec.decode(found.body, key=key), key=key)

    def parse(self, found: StoredObject) -> SessionT:
        """The session in the object, whatever its id. Raises ``SessionCorruptedError``."""
        return self._codec.decode(found.body, key=found.info.key, is_printed=is_printed(found))

    def decode(self, id: str, found: StoredObject) -> SessionT:
        """The session in the object, which remembers the object's version. Raises ``SessionCorruptedError``."""
        key = found.info.key
        session = self.parse(found)
        inside: str = session.id  # type: ignore[attr-defined] # every session model has an id
        if inside != id:
            raise SessionCorruptedError(
                key, f"it contains the id {shorten(inside)}, not the requested {shorten(id)}"
            )
        dropped = self._codec.dropped_members(session, found.body)
        written = written_version(found.info)
        remember(session, StoredVersion(self._bucket.location, key, *written, dropped=dropped))
        return session


def _too_large(error: ObjectTooLargeError) -> SessionTooLargeError:
    return SessionTooLargeError(error.key, size=error.size, limit=error.limit)
