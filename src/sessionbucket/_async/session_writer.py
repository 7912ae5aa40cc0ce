"""Writing and deleting the objects of sessions, in exactly the version that the caller has seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.conditional_write_support import AsyncSupportProbe
from sessionbucket._async.documents import AsyncConditionalWriter
from sessionbucket._async.legacy_names import AsyncLegacyNames
from sessionbucket._async.v1_snapshots import AsyncV1Snapshots
from sessionbucket._codec.compression import Compression, compressed
from sessionbucket._core.body_checksum import codec_checksum
from sessionbucket._core.keys import SessionKeys, StoreKeys
from sessionbucket._core.objects import JSON_CONTENT_TYPE
from sessionbucket._core.session_version import StoredVersion
from sessionbucket._core.summary import EntryOf, no_entry
from sessionbucket._core.write_ids import WrittenVersion, written_version
from sessionbucket.errors import ConflictError, ConflictKind, SessionConflictError


class AsyncSessionWriter:
    """Writes sessions and parts; their bodies are texts that the codec printed or read."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: AsyncBucket,
        keys: StoreKeys,
        writer: AsyncConditionalWriter,
        support: AsyncSupportProbe,
        legacy: AsyncLegacyNames,
        v1: AsyncV1Snapshots,
        compression: Compression | None = None,
    ) -> None:
        self._bucket = bucket
        self._keys = keys
        self._writer = writer
        self._support = support
        self._legacy = legacy
        self._v1 = v1
        self._compression = compression

    def stored_body(self, body: bytes) -> bytes:
        """The body as it is stored."""
        return compressed(body) if self._compression else body

    def seen(self, id: str, stored: StoredVersion | None) -> StoredVersion | None:
        """The version that the caller has seen of this session in this store; None for a new session."""
        if stored is None or stored.location != self._bucket.location:
            return None
        return stored if self._keys.is_key_of(id, stored.key) else None

    async def find_version(self, id: str, version: str) -> StoredVersion:
        """The session's object, if it is in this version. Raises ``SessionConflictError`` otherwise."""
        key = (await self._legacy.current_keys(id)).session
        found = await self._bucket.head(key)
        if found is None or found.version != version:
            kind: ConflictKind = "changed" if found else "deleted"
            raise SessionConflictError(id, key=key, location=self._bucket.location, kind=kind)
        return StoredVersion(self._bucket.location, key, *written_version(found))

    async def write(
        self,
        id: str,
        body: bytes,
        stored: StoredVersion | None,
        pending: list[str],
        *,
        overwrite: bool,
        summary: EntryOf = no_entry,
        check: Callable[[], None] | None = None,
    ) -> StoredVersion:
        """Write the session's body, and return its version. ``stored`` is the version on the session, from any store.

        ``summary`` makes the metadata entry with the session's summary, and ``check`` is that of a conditional write.

        A session keeps its key, be it the encoded id or the legacy name. ``pending`` has earlier writes of this session whose
        outcome is unknown, and this write while its outcome is unknown. Raises ``SessionConflictError`` when the store has
        another version, and ``NotSupportedError`` in a folder of a3s-code 5.0 and later.
        """
        await self._v1.check_writable()
        seen = self.seen(id, stored)
        if overwrite:
            key = await self._legacy.key_to_overwrite(id)
            stored_body = self.stored_body(body)
            try:
                written = await self._writer.overwrite(
                    key,
                    stored_body,
                    content_type=JSON_CONTENT_TYPE,
                    metadata={**codec_checksum(stored_body), **summary(len(stored_body))},
                    pending=pending,
                    check=check,
                )
            except ConflictError as error:
                raise _of_session(id, key, error) from error.__cause__
            return StoredVersion(self._bucket.location, key, *written)
        if seen is None or not seen.version:
            kind: ConflictKind = "exists" if stored is None or seen else "loaded elsewhere"
            key = self._keys.of_session(id).session
            if elsewhere := await self._legacy.find(id):
                raise SessionConflictError(
                    id, key=elsewhere[0].session, location=self._bucket.location, kind=kind
                )
            written = await self.replace(
                id, key, body, None, pending, kind=kind, summary=summary, check=check
            )
        else:
            key = seen.key
            base = WrittenVersion(seen.version, seen.history)
            written = await self.replace(id, key, body, base, pending, summary=summary, check=check)
        return StoredVersion(self._bucket.location, key, *written)

    async def replace(
        self,
        id: str,
        key: str,
        body: bytes,
        base: WrittenVersion | None,
        pending: list[str] | None = None,
        *,
        kind: ConflictKind | None = None,
        summary: EntryOf = no_entry,
        check: Callable[[], None] | None = None,
    ) -> WrittenVersion:
        """Write a body of the session over ``base``, or where nothing is. Raises ``SessionConflictError``.

        ``summary`` and ``check`` are those of ``write``. ``kind`` replaces the kind of a conflict with an existing object.
        """
        body = self.stored_body(body)
        try:
            return await self._writer.write(
                key,
                body,
                base,
                content_type=JSON_CONTENT_TYPE,
                metadata={**codec_checksum(body), **summary(len(body))},
                pending=pending,
                check=check,
            )
        except ConflictError as error:
            raise _of_session(id, key, error, kind) from error.__cause__

    async def write_copied_session(
        self,
        id: str,
        body: bytes,
        *,
        overwrite: bool,
        is_new: bool,
        summary: EntryOf,
    ) -> None:
        """Write the body of a session from another store. ``is_new`` says that it has no object under its legacy name."""
        if is_new and not overwrite:
            await self._v1.check_writable()
            await self.replace(id, self._keys.of_session(id).session, body, None, summary=summary)
        else:
            await self.write(id, body, None, [], overwrite=overwrite, summary=summary)

    async def write_copied_part(self, id: str, key: str, body: bytes, *, overwrite: bool) -> None:
        """Write the body of a part where nothing is, or with ``overwrite`` in any case."""
        await self._v1.check_writable()
        if overwrite or not await self._support.is_conditional():
            await self._bucket.put(key, self.stored_body(body), content_type=JSON_CONTENT_TYPE)
        else:
            await self.replace(id, key, body, None)

    async def check_not_stale(self, id: str, stored: StoredVersion | None, *, overwrite: bool) -> None:
        """Raises ``SessionConflictError`` when a save would raise it now."""
        if overwrite or not await self._support.is_conditional():
            return
        seen = self.seen(id, stored)
        if seen is not None and seen.pending:
            return  # the save itself finds out whether one of these writes was done
        key = seen.key if seen else (await self._legacy.current_keys(id)).session
        found = await self._bucket.head(key)
        if (found.version if found else None) != (seen.version if seen else None):
            kind: ConflictKind = "deleted" if found is None else "changed" if seen else "exists"
            raise SessionConflictError(id, key=key, location=self._bucket.location, kind=kind)

    async def delete_parts(self, keys: Sequence[str]) -> None:
        """Delete parts unconditionally. A request that may have been done is not repeated."""
        await self._writer.delete_once(keys)

    async def delete(self, keys: SessionKeys) -> None:
        """Delete the session's object, in whatever version it is."""
        try:
            await self._writer.delete(keys.session)
        except ConflictError as error:
            raise _of_session(keys.stem, keys.session, error) from error.__cause__


def _of_session(
    id: str, key: str, error: ConflictError, kind: ConflictKind | None = None
) -> SessionConflictError:
    """The conflict as one of the session. ``kind`` replaces the kind of a conflict with an existing object."""
    return SessionConflictError(
        id,
        key=key,
        location=error.location,
        outcome=error.outcome,
        attempts=error.attempts,
        kind=kind if kind and error.kind == "exists" else error.kind,
    )
