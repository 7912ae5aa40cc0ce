"""The earlier versions of sessions, in a bucket that keeps versions."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from typing import Generic, TypeVar

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import list_versions_of
from sessionbucket._async.erasure import AsyncErasure
from sessionbucket._async.legacy_names import AsyncLegacyNames
from sessionbucket._async.session_reader import AsyncSessionReader
from sessionbucket._core.arguments import check_version_id
from sessionbucket._core.keys import SessionKeys, StoreKeys
from sessionbucket._core.objects import ObjectVersion, StoredObject
from sessionbucket._core.results import ErasureReport, SessionDiff, SessionVersion
from sessionbucket._core.session_diff import session_diff
from sessionbucket._core.session_version import StoredVersion, recall, remember
from sessionbucket._core.write_ids import written_version
from sessionbucket.errors import (
    InvalidArgumentError,
    NotSupportedError,
    VersionNotFoundError,
)

SessionT = TypeVar("SessionT")

Versions = list[ObjectVersion]


class AsyncSessionHistory(Generic[SessionT]):
    """Lists, loads, compares and restores earlier versions of sessions. ``AsyncSessionStore.history`` is one.

    Every method raises ``NotSupportedError`` where the bucket keeps no versions, or the engine cannot list them. The credentials need
    the permissions of the role *historian*. Parts and files are not rolled back.
    """

    def __init__(  # noqa: PLR0917
        self,
        bucket: AsyncBucket,
        keys: StoreKeys,
        legacy: AsyncLegacyNames,
        reader: AsyncSessionReader[SessionT],
        erasure: AsyncErasure,
        write: Callable[[SessionT, bytes], Awaitable[None]],
    ) -> None:
        """``write`` saves the body of a session over the version that the session remembers."""
        self._bucket = bucket
        self._keys = keys
        self._legacy = legacy
        self._reader = reader
        self._erasure = erasure
        self._write = write
        self._keeps_versions = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._location}>"

    @property
    def _location(self) -> str:
        return self._keys.location(self._bucket.location)

    async def versions(self, id: str) -> AsyncGenerator[SessionVersion, None]:
        """Yield the versions of the session, newest first, its deletes among them; one request for every thousand."""
        for row in (await self._listed(id))[1]:
            yield SessionVersion(
                row.version_id, row.updated_at, row.size, row.is_current, row.is_delete, row.version
            )

    async def load(self, id: str, version_id: str) -> SessionT:
        """Load the session as it was in this version.

        The result has no version to save on, so a save of it conflicts while the session exists; ``restore`` saves it. Raises
        ``VersionNotFoundError``, and the errors of the store's ``load``.
        """
        check_version_id(version_id)
        keys, _ = await self._keys_of(id)
        return self._as_new(id, await self._get(id, keys.session, version_id))

    async def load_as_of(self, id: str, moment: datetime) -> SessionT:
        """Load the session as it was at this moment: its newest version that was saved at or before it.

        ``moment`` has a time zone. Servers note whole seconds, so of several saves within a second this is the last. Raises
        ``VersionNotFoundError`` when the session did not exist then, or that version is not kept any more.
        """
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise InvalidArgumentError(
                "moment is refused: it must be a datetime with a time zone, such as datetime.now(UTC)"
            )
        keys, rows = await self._listed(id)
        row = next((row for row in rows if row.updated_at <= moment), None)
        if row is None or row.is_delete:
            then = "saved by then" if row is None else "at that time, when it was deleted"
            raise VersionNotFoundError(id, None, location=self._location, reason=then)
        return self._as_new(id, await self._get(id, keys.session, row.version_id))

    async def restore(self, id: str, version_id: str) -> SessionT:
        """Save the session as it was in this version, byte for byte, as a new version on top of the current one.

        So nothing is lost, and a restore can be undone. A deleted session comes back. Returns the session as saved. Raises
        ``VersionNotFoundError``, and ``SessionConflictError`` when another writer saves meanwhile; nothing was written then.
        """
        check_version_id(version_id)
        keys, _ = await self._keys_of(id)
        past = await self._get(id, keys.session, version_id)
        current = await self._bucket.head(keys.session)
        stored = StoredVersion(self._bucket.location, keys.session)
        if current is not None:
            stored = StoredVersion(self._bucket.location, keys.session, *written_version(current))
        return await self._restore(id, past, stored)

    async def undo(self, id: str) -> SessionT:
        """Restore the newest version whose contents differ from the current one. So an undo of an undo brings them back.

        A deleted session comes back as it was last. Raises ``VersionNotFoundError`` when no version differs, and
        ``SessionConflictError`` when another writer saves meanwhile; nothing was written then.
        """
        keys, rows = await self._listed(id)
        stored = StoredVersion(self._bucket.location, keys.session)
        contents = [row for row in rows if not row.is_delete]
        body = None
        if contents and contents[0].is_current:
            current = await self._get(id, keys.session, contents.pop(0).version_id)
            body = current.body
            stored = StoredVersion(self._bucket.location, keys.session, *written_version(current.info))
        for row in contents:
            if row.version is not None and row.version == stored.version:
                continue
            past = await self._get(id, keys.session, row.version_id)
            if past.body != body:
                return await self._restore(id, past, stored)
        raise VersionNotFoundError(id, None, location=self._location, reason="with other contents")

    async def diff(self, id: str, before: str, after: str | None = None) -> SessionDiff:
        """Compare the versions with the ids ``before`` and ``after``, or ``before`` with the current one.

        Raises ``VersionNotFoundError``, also when there is no current version.
        """
        check_version_id(before)
        keys, _ = await self._keys_of(id)
        old = await self._get(id, keys.session, before)
        if after is not None:
            check_version_id(after)
            new: StoredObject | None = await self._get(id, keys.session, after)
        else:
            new = await self._reader.get(keys.session)
        if new is None:
            raise VersionNotFoundError(id, None, location=self._location, reason="that is current")
        for found in (old, new):
            self._reader.decode(id, found)
        return session_diff(id, json.loads(old.body), json.loads(new.body))

    async def erase(self, id: str, *, keep: int = 1, bypass_governance: bool = False) -> ErasureReport:
        """Erase the old versions of the session, its parts and its files for good; the newest ``keep`` of each key remain.

        ``keep`` is at least 1, and counts the current version. ``bypass_governance`` also erases versions under a lock in
        governance mode, for credentials that may do that. Raises ``EraseIncompleteError`` with the report when some could
        not be erased. The credentials need the permissions of the role *eraser*.
        """
        await self._require_versions()
        return await self._erasure.erase_history(id, keep, bypass_governance=bypass_governance)

    async def _restore(self, id: str, past: StoredObject, stored: StoredVersion) -> SessionT:
        """Save the body of an earlier version over the version ``stored``, or where nothing is."""
        session = self._reader.decode(id, past)
        loaded = recall(session)
        remember(session, stored)
        await self._write(session, past.body)
        written = recall(session)
        if written and loaded:  # the body has members that the model ignores, and the session has not
            remember(session, written._replace(dropped=loaded.dropped))
        return session

    def _as_new(self, id: str, past: StoredObject) -> SessionT:
        session = self._reader.decode(id, past)
        loaded = recall(session)
        dropped = loaded.dropped if loaded else ()
        remember(session, StoredVersion(self._bucket.location, past.info.key, dropped=dropped))
        return session

    async def _get(self, id: str, key: str, version_id: str) -> StoredObject:
        found = await self._reader.get_version(key, version_id)
        if found is None:
            raise VersionNotFoundError(id, version_id, location=self._location)
        return found

    async def _listed(self, id: str) -> tuple[SessionKeys, Versions]:
        keys, rows = await self._keys_of(id)
        return keys, await list_versions_of(self._bucket, keys.session) if rows is None else rows

    async def _keys_of(self, id: str) -> tuple[SessionKeys, Versions | None]:
        """The keys that the session has or had, and its versions when they were listed to find that out."""
        await self._require_versions()
        keys = await self._legacy.current_keys(id)
        legacy = self._keys.legacy_keys(id)
        if legacy is None or keys == legacy or await self._bucket.exists(keys.session):
            return keys, None
        rows = await list_versions_of(self._bucket, keys.session)
        return (legacy, None) if not rows else (keys, rows)

    async def _require_versions(self) -> None:
        self._keeps_versions = self._keeps_versions or await self._bucket.keeps_versions()
        if not self._keeps_versions:
            raise NotSupportedError(
                f"{self._bucket.location} keeps no versions, so there is no history; turn versioning on (for S3: aws s3api "
                "put-bucket-versioning) for what is saved from then on; fork() and update() need no versions"
            )
