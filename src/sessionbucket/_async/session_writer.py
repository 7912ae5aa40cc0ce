"""Writing a session over exactly what its caller has seen."""

from __future__ import annotations

from sessionbucket._async.documents import NotWrittenError, Written, put_if_unchanged
from sessionbucket._async.legacy_names import AsyncReferenceNames
from sessionbucket._async.trust import AsyncTrust
from sessionbucket._async.wrappers.retrying import AsyncSteadyBucket
from sessionbucket._core import body_checksum as seal
from sessionbucket._core import write_ids as chains
from sessionbucket._core.keys import SessionKeys
from sessionbucket._core.objects import JSON
from sessionbucket._core.session_version import StoredVersion
from sessionbucket.errors import SessionConflictError


class AsyncSessionWriter:
    """Writes the objects of sessions."""

    def __init__(self, bucket: AsyncSteadyBucket, reference: AsyncReferenceNames, trust: AsyncTrust) -> None:
        self._bucket = bucket
        self._reference = reference
        self._trust = trust

    async def write(
        self, id: str, keys: SessionKeys, body: bytes, stored: StoredVersion | None, *, overwrite: bool
    ) -> StoredVersion:
        """Write the body, which the codec printed, and give the version it became. ``stored`` is what the caller has
        seen, if anything.

        Raises ``SessionConflictError`` where something else is there; its ``outcome`` tells whether this is certain.
        """
        overwrite = overwrite or not await self._trust.conditional()
        old = await self._settle_reference_name(id, keys, stored, overwrite=overwrite)
        if overwrite:
            await self._reference.refuse_anothers(id, keys.session)
            written = await self._overwrite(keys.session, body)
        else:
            written = await self._replace(id, keys.session, body, stored)
        if old:
            await self._reference.remove(old)
        return written

    async def write_body(
        self, id: str, keys: SessionKeys, body: bytes, *, overwrite: bool, is_new: bool
    ) -> None:
        """Write the body of a session that is not from here; with ``is_new`` it has no other name to be moved from."""
        if is_new and not overwrite and await self._trust.conditional():
            await self._replace(id, keys.session, body, None)
        else:
            await self.write(id, keys, body, None, overwrite=overwrite)

    async def write_part(self, id: str, key: str, body: bytes, *, overwrite: bool) -> None:
        """Write the body of a part where there is none, or with ``overwrite`` in any case."""
        if overwrite or not await self._trust.conditional():
            await self._bucket.put(key, body, content_type=JSON)
        else:
            await self._replace(id, key, body, None)

    async def refuse_stale(
        self, id: str, keys: SessionKeys, stored: StoredVersion | None, *, overwrite: bool
    ) -> None:
        """Raises ``SessionConflictError`` where a save would, as things stand now."""
        if overwrite or not await self._trust.conditional():
            return
        key = stored.key if stored else keys.session
        found = await self._bucket.head(key)
        if (found.version if found else None) != (stored.version if stored else None):
            raise SessionConflictError(id, key=key, location=self._bucket.location)

    async def _overwrite(self, key: str, body: bytes) -> StoredVersion:
        chain = chains.new_chain(())
        metadata = {**seal.to_metadata(body), **chains.to_metadata(chain)}
        version = await self._bucket.put(key, body, content_type=JSON, metadata=metadata)
        return StoredVersion(self._bucket.location, key, version, chain)

    async def _replace(self, id: str, key: str, body: bytes, stored: StoredVersion | None) -> StoredVersion:
        base = Written(stored.version, stored.chain) if stored and stored.key == key else None
        try:
            written = await put_if_unchanged(
                self._bucket.inner, key, body, base, content_type=JSON, metadata=seal.to_metadata(body)
            )
        except NotWrittenError as error:
            raise SessionConflictError(
                id, key=key, location=self._bucket.location, outcome=error.outcome
            ) from error.__cause__
        return StoredVersion(self._bucket.location, key, written.version, written.chain)

    async def _settle_reference_name(
        self, id: str, keys: SessionKeys, stored: StoredVersion | None, *, overwrite: bool
    ) -> SessionKeys | None:
        """Carry a session that lies under a3s-code's name over to its own key; gives the old keys, to be removed.

        Only ids for which the two names differ cost a request here, and only until they have moved.
        """
        if stored is not None and stored.key == keys.session and not overwrite:
            return None
        found = await self._reference.find(id)
        if found is None:
            return None
        old, object_ = found
        seen = stored is not None and (stored.key, stored.version) == (old.session, object_.info.version)
        if not (seen or overwrite):
            raise SessionConflictError(id, key=old.session, location=self._bucket.location)
        await self._reference.copy_parts(old, keys)
        return old
