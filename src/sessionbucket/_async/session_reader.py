"""Reading the objects of sessions and their parts, under the encoded key or the legacy name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.legacy_names import AsyncLegacyNames
from sessionbucket._codec import Codec
from sessionbucket._core.body_checksum import is_printed
from sessionbucket._core.keys import SessionKeys, StoreKeys
from sessionbucket._core.objects import StoredObject
from sessionbucket._core.session_version import StoredVersion, remember
from sessionbucket._core.write_ids import written_version
from sessionbucket.errors import ObjectTooLargeError, SessionCorruptedError, SessionTooLargeError, shorten

SessionT = TypeVar("SessionT")


class AsyncSessionReader(Generic[SessionT]):
    """Reads sessions of one model."""

    def __init__(
        self,
        bucket: AsyncBucket,
        keys: StoreKeys,
        legacy: AsyncLegacyNames,
        codec: Codec[SessionT],
        max_bytes: int,
    ) -> None:
        self._bucket = bucket
        self._keys = keys
        self._legacy = legacy
        self._codec = codec
        self._max_bytes = max_bytes

    async def find(self, id: str) -> StoredObject | None:
        """The session's object, valid or not."""
        found = await self.get(self._keys.of_session(id).session)
        if found is None and (elsewhere := await self._legacy.find(id)):
            found = elsewhere[1]
        return found

    async def find_part(self, id: str, key_of: Callable[[SessionKeys], str]) -> StoredObject | None:
        """The object of a part, valid or not."""
        found = await self.get(key_of(self._keys.of_session(id)))
        if found is None and (elsewhere := await self._legacy.find(id)):
            found = await self.get(key_of(elsewhere[0]))
        return found

    async def get(self, key: str) -> StoredObject | None:
        """The object at a key. Raises ``SessionTooLargeError``."""
        try:
            return await self._bucket.get(key, max_bytes=self._max_bytes)
        except ObjectTooLargeError as error:
            raise SessionTooLargeError(error.key, size=error.size, limit=error.limit) from error.__cause__

    def are_same(self, one: StoredObject, two: StoredObject) -> bool:
        """Whether two valid objects contain the same session, whatever the layout of their texts."""
        return one.body == two.body or self._printed(one) == self._printed(two)

    def _printed(self, found: StoredObject) -> bytes:
        key = found.info.key
        return self._codec.encode(self._codec.decode(found.body, key=key), key=key)

    def decode(self, id: str, found: StoredObject) -> SessionT:
        """The session in the object, which remembers the object's version. Raises ``SessionCorruptedError``."""
        key = found.info.key
        session = self._codec.decode(found.body, key=key, is_printed=is_printed(found))
        inside: str = session.id  # type: ignore[attr-defined] # every session model has an id
        if inside != id:
            raise SessionCorruptedError(
                key, f"it contains the id {shorten(inside)}, not the requested {shorten(id)}"
            )
        dropped = self._codec.dropped_members(session, found.body)
        written = written_version(found.info)
        remember(session, StoredVersion(self._bucket.location, key, *written, dropped=dropped))
        return session
