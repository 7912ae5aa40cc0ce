"""Writing the objects of sessions and their parts over exactly the version that the caller has seen."""

from __future__ import annotations

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.conditional_write_support import AsyncSupportProbe
from sessionbucket._async.documents import AsyncConditionalWriter
from sessionbucket._async.legacy_names import AsyncLegacyNames
from sessionbucket._core.body_checksum import codec_checksum
from sessionbucket._core.keys import SessionKeys
from sessionbucket._core.objects import JSON_CONTENT_TYPE
from sessionbucket._core.write_ids import WrittenVersion
from sessionbucket.errors import ConflictError, SessionConflictError
from sessionbucket.models._base import StoredVersion


class AsyncSessionWriter:
    """Writes sessions and parts; their bodies are texts that the codec printed or read."""

    def __init__(
        self,
        bucket: AsyncBucket,
        writer: AsyncConditionalWriter,
        support: AsyncSupportProbe,
        legacy: AsyncLegacyNames,
    ) -> None:
        self._bucket = bucket
        self._writer = writer
        self._support = support
        self._legacy = legacy

    async def write(
        self, id: str, keys: SessionKeys, body: bytes, stored: StoredVersion | None, *, overwrite: bool
    ) -> WrittenVersion:
        """Write the session's body, and return its version. ``stored`` is the version that the caller has seen, if any.

        Raises ``SessionConflictError`` when the store has another version, with its outcome.
        """
        key = keys.session
        is_unconditional = overwrite or not await self._support.is_conditional()
        old = None
        if stored is None or stored.key != key or is_unconditional:
            old = await self._leave_legacy_name(id, keys, stored, overwrite=is_unconditional)
        if is_unconditional:
            await self._legacy.check_key_is_free_for(id, key)
            written = await self._writer.overwrite(
                key, body, content_type=JSON_CONTENT_TYPE, metadata=codec_checksum(body)
            )
        else:
            base = WrittenVersion(stored.version, stored.history) if stored and stored.key == key else None
            written = await self.replace(id, key, body, base)
        if old:
            await self._legacy.remove(old)
        return written

    async def replace(self, id: str, key: str, body: bytes, base: WrittenVersion | None) -> WrittenVersion:
        """Write a body of the session over ``base``, or where nothing is. Raises ``SessionConflictError``."""
        try:
            return await self._writer.write(
                key, body, base, content_type=JSON_CONTENT_TYPE, metadata=codec_checksum(body)
            )
        except ConflictError as error:
            raise SessionConflictError(
                id, key=key, location=error.location, outcome=error.outcome
            ) from error.__cause__

    async def write_copied_session(
        self, id: str, keys: SessionKeys, body: bytes, *, overwrite: bool, is_new: bool
    ) -> None:
        """Write the body of a session from another store. ``is_new`` says that it has no object under its legacy name."""
        if is_new and not overwrite:
            await self.replace(id, keys.session, body, None)
        else:
            await self.write(id, keys, body, None, overwrite=overwrite)

    async def write_copied_part(self, id: str, key: str, body: bytes, *, overwrite: bool) -> None:
        """Write the body of a part where nothing is, or with ``overwrite`` in any case."""
        if overwrite or not await self._support.is_conditional():
            await self._bucket.put(key, body, content_type=JSON_CONTENT_TYPE)
        else:
            await self.replace(id, key, body, None)

    async def check_not_stale(
        self, id: str, keys: SessionKeys, stored: StoredVersion | None, *, overwrite: bool
    ) -> None:
        """Raises ``SessionConflictError`` when a save would raise it now."""
        if overwrite or not await self._support.is_conditional():
            return
        key = stored.key if stored else keys.session
        found = await self._bucket.head(key)
        if (found.version if found else None) != (stored.version if stored else None):
            raise SessionConflictError(id, key=key, location=self._bucket.location)

    async def _leave_legacy_name(
        self, id: str, keys: SessionKeys, stored: StoredVersion | None, *, overwrite: bool
    ) -> SessionKeys | None:
        """Copy the parts of a session under its legacy name to its own keys; returns the old keys, to be removed.

        Only ids with two names cost a request here, and only until they have moved.
        """
        found = await self._legacy.find(id)
        if found is None:
            return None
        old, object_ = found
        seen = stored is not None and (stored.key, stored.version) == (old.session, object_.info.version)
        if not (seen or overwrite):
            raise SessionConflictError(id, key=old.session, location=self._bucket.location)
        await self._legacy.copy_parts(old, keys)
        return old
