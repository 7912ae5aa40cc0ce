"""Erasing for good: a whole session, a text in it, or its old versions.

A delete hides what it deletes, and a versioned bucket keeps it. So an erasure lists the versions and erases them by their ids, until a
listing shows no more. What is newer than its own delete or save, it never erases; ``_core/erasure`` has the rules.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import list_objects, list_versions, list_versions_of
from sessionbucket._async.documents import retry_after_conflicts
from sessionbucket._async.legacy_names import AsyncLegacyNames, inner_id
from sessionbucket._async.session_parts import AsyncSessionParts
from sessionbucket._async.session_reader import AsyncSessionReader
from sessionbucket._async.session_writer import AsyncSessionWriter
from sessionbucket._codec.compression import decompressed
from sessionbucket._codec.redaction import redacted
from sessionbucket._concurrency.asyncio_ import gather
from sessionbucket._core.arguments import check_function, check_integer
from sessionbucket._core.erasure import (
    NOT_COVERED,
    Scope,
    by_key,
    erasable_after_delete,
    erasable_before,
    erasable_beyond,
    may_have_row,
    may_hold,
)
from sessionbucket._core.inventory import JSON_PARTS
from sessionbucket._core.keys import SessionKeys, StoreKeys
from sessionbucket._core.objects import DEFAULT_MAX_BYTES, Kept, ObjectInfo, ObjectVersion, StoredObject
from sessionbucket._core.results import ErasureReport
from sessionbucket._core.session_version import StoredVersion, recall, remember
from sessionbucket._core.write_ids import WrittenVersion, written_version
from sessionbucket.errors import (
    EraseIncompleteError,
    InvalidArgumentError,
    ObjectTooLargeError,
    SessionCorruptedError,
    SessionNotFoundError,
    SessionTooLargeError,
    StoreUnavailableError,
    shorten,
    shorten_list,
)

FilesToRedact = Literal["refuse", "keep", "delete"]

_ROUNDS_IN_VAIN = 5
"""Rounds that find as many versions as one before: other writers make them."""
_ATTEMPTS = 10
_AT_ONCE = 8
_MAY_BE_IN_USE = timedelta(hours=1)
_STILL_WRITTEN = "other writers write this key again and again"
_OUTLIVED = "our own save is not among the versions, so nothing is known to be older"

Rows = list[ObjectVersion]


@dataclass
class _Tally:
    """What an erasure has done so far."""

    versions: int = 0
    size: int = 0
    uploads: int = 0
    keys: set[str] = field(default_factory=set)
    kept: dict[tuple[str, str], Kept] = field(default_factory=dict)
    recreated: set[str] = field(default_factory=set)
    not_covered: list[str] = field(default_factory=lambda: [*NOT_COVERED])

    def count(self, rows: Iterable[ObjectVersion | ObjectInfo]) -> None:
        for row in rows:
            self.versions += 1
            self.size += row.size
            self.keys.add(row.key)


class AsyncErasure:
    """Erases sessions and texts of one store."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: AsyncBucket,
        keys: StoreKeys,
        legacy: AsyncLegacyNames,
        reader: AsyncSessionReader[Any],
        writer: AsyncSessionWriter,
        parts: AsyncSessionParts,
        delete: Callable[[str], Awaitable[None]],
        write: Callable[[Any, bytes], Awaitable[None]],
    ) -> None:
        """``delete`` deletes a session with its parts; ``write`` saves a body over the version that a session remembers."""
        self._bucket = bucket
        self._keys = keys
        self._legacy = legacy
        self._reader = reader
        self._writer = writer
        self._parts = parts
        self._delete = delete
        self._write = write

    async def purge(self, id: str, *, bypass_governance: bool, dry_run: bool) -> ErasureReport:
        """Delete the session, and erase every version of it, of its parts, its files and its bookkeeping."""
        keeps_versions = await self._bucket.keeps_versions()
        tally = _Tally()
        names = await self._names(id, keeps_versions, tally)
        scope = Scope.of(names, with_lease=True)
        existing = await self._objects(scope)
        before = await self._versions(scope) if keeps_versions else []
        if dry_run:
            tally.count(before if keeps_versions else existing)
            tally.uploads = len((await self._temporary(names))[0])
            return self._report(id, tally, None)
        with _partly_done():
            await self._delete(id)
            leases = [keys.lease for keys in names if keys.lease in {*map(_key, existing)}]
            await self._writer.delete_parts(leases)
            if keeps_versions:
                choose = _after_delete({row.version_id for row in before})
                await self._erase_rounds(tally, scope, choose, bypass_governance)
            else:
                tally.count(existing)
            await self._abort(tally, names)
            await self._forget_row(tally, names, keeps_versions, bypass_governance)
            tally.recreated |= {info.key for info in await self._objects(scope)}
        return self._finished(id, tally)

    async def redact(
        self,
        id: str,
        change: Callable[[str], str],
        *,
        files: FilesToRedact,
        bypass_governance: bool,
        dry_run: bool,
    ) -> ErasureReport:
        """Change every string of the session and its parts, and erase what is older."""
        check_function("change", change)
        keeps_versions = await self._bucket.keeps_versions()
        present = await self._check_files(id, files)
        tally = _Tally()
        names = await self._names(id, keeps_versions, tally)
        scope = Scope.of(names, with_lease=False)
        before = {row.version_id for row in (await self._versions(scope) if keeps_versions else [])}
        with nullcontext() if dry_run else _partly_done():
            cuts = await self._redact_all(id, change, tally, dry_run=dry_run)
            chosen = partial(self._older_than_cuts, cuts, before, keep_files=files == "keep", tally=tally)
            if dry_run:
                for _, rows in by_key(await self._versions(scope) if keeps_versions else []):
                    tally.count(await chosen(rows))
                tally.count(present if files == "delete" and not keeps_versions else [])
                return self._report(id, tally, None)
            if files == "keep":
                tally.not_covered.append("the files of the session, which were kept with their old versions")
            else:
                await self._writer.delete_parts([info.key for info in present])
                tally.keys.update(info.key for info in present)
                await self._abort(tally, names)
            if keeps_versions:
                await self._erase_rounds(tally, scope, chosen, bypass_governance)
            await self._forget_row(tally, names, keeps_versions, bypass_governance)
        return self._finished(id, tally)

    async def erase_history(self, id: str, keep: int, *, bypass_governance: bool) -> ErasureReport:
        """Erase all versions of each key beyond the newest ``keep``."""
        check_integer("keep", keep, 1)
        tally = _Tally()
        scope = Scope.of(await self._names(id, True, tally), with_lease=False)
        await self._erase_rounds(tally, scope, _beyond(keep), bypass_governance)
        return self._finished(id, tally)

    async def _names(self, id: str, keeps_versions: bool, tally: _Tally) -> list[SessionKeys]:
        """The keys of the session under its encoded id, and under its legacy name where it has or had an object of its own."""
        names = [self._keys.of_session(id)]
        legacy = self._keys.legacy_keys(id)
        if legacy is None:
            return names
        if not keeps_versions:
            return [*names, legacy] if await self._legacy.find(id) else names
        rows = await list_versions_of(self._bucket, legacy.session)
        ids = {await self._id_in(row) for row in rows if not row.is_delete}
        if ids == {id}:
            return [*names, legacy]
        if id in ids:
            tally.not_covered.append(
                f"versions of {legacy.session!r}, the legacy name that it has in common with another session"
            )
        return names

    async def _id_in(self, row: ObjectVersion) -> object:
        found = await self._get_version(row)
        try:
            return inner_id(decompressed(found, max_bytes=DEFAULT_MAX_BYTES).body) if found else None
        except (SessionCorruptedError, SessionTooLargeError):
            return None

    async def _get_version(self, row: ObjectVersion) -> StoredObject | None:
        return await self._bucket.get_version(row.key, row.version_id, max_bytes=max(row.size, 1) * 2)

    async def _versions(self, scope: Scope) -> Rows:
        """Every version and delete marker of the session's keys."""
        found = await gather([partial(list_versions, self._bucket, prefix) for prefix in scope.prefixes])
        return list({row: None for rows in found for row in rows if scope.has(row.key)})

    async def _objects(self, scope: Scope) -> list[ObjectInfo]:
        """Every current object of the session's keys."""
        infos = await gather([partial(self._bucket.head, key) for key in scope.exact])
        below = await gather([partial(list_objects, self._bucket, folder) for folder in scope.folders])
        return [*(info for info in infos if info), *(info for infos in below for info in infos)]

    async def _erase_rounds(
        self,
        tally: _Tally,
        scope: Scope,
        choose: Callable[[Rows], Awaitable[Rows]],
        bypass_governance: bool,
    ) -> None:
        """List the versions and erase what ``choose`` chooses of each key, until it chooses nothing more.

        A round can uncover rows: the last delete marker of a key goes alone, and SeaweedFS leaves rows out of long listings.
        """
        left: Rows = []
        fewest, in_vain = sys.maxsize, 0
        while in_vain < _ROUNDS_IN_VAIN:
            left = []
            for _key, rows in by_key(await self._versions(scope)):
                left += await choose(rows)
            left = [row for row in left if (row.key, row.version_id) not in tally.kept]
            left = [
                row for row in left if not (row.is_current and row.is_delete and self._holds(tally, row.key))
            ]
            if not left:
                return
            in_vain = 0 if len(left) < fewest else in_vain + 1
            fewest = min(fewest, len(left))
            refused = await self._bucket.erase(left, bypass_governance=bypass_governance)
            tally.kept |= {(kept.key, kept.version_id): kept for kept in refused}
            tally.count(row for row in left if (row.key, row.version_id) not in tally.kept)
        for row in left:
            tally.kept.setdefault((row.key, row.version_id), Kept(row.key, row.version_id, _STILL_WRITTEN))

    @staticmethod
    def _holds(tally: _Tally, key: str) -> bool:
        """Whether a version of the key is kept. Then its delete marker stays, or the version would become current."""
        return any(kept_key == key for kept_key, _ in tally.kept)

    async def _older_than_cuts(
        self,
        cuts: dict[str, WrittenVersion],
        before: set[str],
        rows: Rows,
        *,
        keep_files: bool,
        tally: _Tally,
    ) -> Rows:
        """Of the versions of one key, those that are older than our save of it, or all before its delete."""
        key = rows[0].key
        if key not in cuts:
            is_file = "/files/" in key.removeprefix(self._keys.root)
            return [] if is_file and keep_files else erasable_after_delete(rows, before)
        cut = cuts[key]
        for row in rows:
            if row.is_delete or row.version != cut.version:
                continue
            found = await self._get_version(row)
            if found is not None and written_version(found.info).history[0] == cut.history[0]:
                return erasable_before(rows, row)
        for row in rows:
            if not row.is_delete:
                tally.kept.setdefault((key, row.version_id), Kept(key, row.version_id, _OUTLIVED))
        return []

    async def _check_files(self, id: str, files: FilesToRedact) -> list[ObjectInfo]:
        """The files of the session. Raises ``InvalidArgumentError`` when there are any and the caller has not chosen for them."""
        if files not in ("refuse", "keep", "delete"):
            raise InvalidArgumentError(
                f"files {files!r} is refused: it must be 'refuse', 'keep' or 'delete'; nothing was written"
            )
        keys = self._keys.of_session(id)
        present = await list_objects(self._bucket, keys.files)
        if present and files == "refuse":
            listed = shorten_list([keys.file_name(info.key) for info in present])
            raise InvalidArgumentError(
                f"session {shorten(id)} has files, which a redaction cannot change: {listed}; pass files='delete' to erase "
                "them, or files='keep'; nothing was written"
            )
        return present

    async def _redact_all(
        self, id: str, change: Callable[[str], str], tally: _Tally, *, dry_run: bool
    ) -> dict[str, WrittenVersion]:
        """Redact the parts, then the session. Returns the versions by key that have nothing of the text any more."""
        cuts: dict[str, WrittenVersion] = {}
        stem = (await self._legacy.current_keys(id)).stem
        for name in JSON_PARTS:
            key = self._keys.part_key(name, stem)
            if written := await self._redact_part(id, name, key, change, tally, dry_run=dry_run):
                cuts[key] = written
        session = await self._redact_session(id, change, tally, dry_run=dry_run)
        cuts[session.key] = WrittenVersion(session.version, session.history)
        return cuts

    async def _redact_part(
        self, id: str, name: str, key: str, change: Callable[[str], str], tally: _Tally, *, dry_run: bool
    ) -> WrittenVersion | None:
        """Redact a part. Returns the version that has nothing of the text any more, or None when there is no such part."""

        async def attempt() -> WrittenVersion | None:
            found = await self._reader.get(key)
            if found is None:
                return None
            body = self._redacted(found, change, tally)
            base = written_version(found.info)
            if body == found.body or dry_run:
                return base
            checked = StoredObject(found.info._replace(metadata={}), body)
            try:
                self._parts.validate(name, checked)
            except SessionCorruptedError as error:
                raise _unreadable(id, error) from error
            return await self._writer.replace(id, key, body, base)

        return await retry_after_conflicts(attempt, attempts=_ATTEMPTS, location=self._bucket.location)

    async def _redact_session(
        self, id: str, change: Callable[[str], str], tally: _Tally, *, dry_run: bool
    ) -> StoredVersion:
        async def attempt() -> StoredVersion:
            found = await self._reader.find(id)
            if found is None:
                raise SessionNotFoundError(id, self._bucket.location)
            body = self._redacted(found, change, tally)
            stored = StoredVersion(self._bucket.location, found.info.key, *written_version(found.info))
            if body == found.body or dry_run:
                return stored
            checked = StoredObject(found.info._replace(metadata={}), body)
            try:
                session = self._reader.decode(id, checked)
            except SessionCorruptedError as error:
                raise _unreadable(id, error) from error
            remember(session, stored)  # the body has all members, also those that the model ignores
            await self._write(session, body)
            return recall(session) or stored

        return await retry_after_conflicts(attempt, attempts=_ATTEMPTS, location=self._bucket.location)

    def _redacted(self, found: StoredObject, change: Callable[[str], str], tally: _Tally) -> bytes:
        body, has_names = redacted(found.body, change)
        if body != found.body:
            tally.keys.add(found.info.key)
        what = f"names of members in {found.info.key!r}"
        if has_names and what not in tally.not_covered:
            tally.not_covered.append(what)
        return body

    async def _temporary(self, names: Sequence[SessionKeys]) -> tuple[list[ObjectInfo], bool]:
        """The unfinished uploads of the session's files, and whether others may have bytes of it.

        Temporary files in a folder don't show their session. Those that are an hour old belong to interrupted writes.
        """
        if not self._bucket.capabilities.is_folder:
            found = await gather(
                [partial(self._bucket.temporary_objects, keys.artifacts_folder) for keys in names]
            )
            return [info for infos in found for info in infos], False
        every = await self._bucket.temporary_objects(self._keys.root)
        stale = [info for info in every if info.updated_at < datetime.now(UTC) - _MAY_BE_IN_USE]
        return stale, len(stale) < len(every)

    async def _abort(self, tally: _Tally, names: Sequence[SessionKeys]) -> None:
        temporary, has_others = await self._temporary(names)
        if temporary:
            await self._bucket.remove_temporary(temporary)
        tally.uploads += len(temporary)
        if has_others:
            tally.not_covered.append(
                "temporary files of writes that were interrupted within the last hour: run `check --repair` later"
            )

    async def _forget_row(
        self, tally: _Tally, names: Sequence[SessionKeys], keeps_versions: bool, bypass_governance: bool
    ) -> None:
        """Erase the catalog's shards that may have the session's title. The next listing of summaries writes them anew."""
        folder, stem = self._keys.catalog, names[0].stem
        shards = sorted(await list_objects(self._bucket, folder), key=_key)
        doomed = [
            info.key
            for position, info in enumerate(shards)
            if (position == 0 or may_hold(info.key, folder, stem)) and await self._has_row(info, names)
        ]
        await self._writer.delete_parts(doomed)
        tally.keys.update(doomed)
        if keeps_versions:
            everything = Scope((), (folder,))
            await self._erase_rounds(tally, everything, _replaced_or_deleted, bypass_governance)

    async def _has_row(self, info: ObjectInfo, names: Sequence[SessionKeys]) -> bool:
        try:
            found = await self._bucket.get(info.key, max_bytes=max(info.size, 1) * 2)
        except ObjectTooLargeError:
            return True
        return found is not None and any(may_have_row(found.body, keys.stem) for keys in names)

    def _finished(self, id: str, tally: _Tally) -> ErasureReport:
        """The report. Raises ``EraseIncompleteError`` when something was kept."""
        report = self._report(id, tally, datetime.now(UTC))
        if report.kept:
            raise EraseIncompleteError(report)
        return report

    def _report(self, id: str, tally: _Tally, verified_at: datetime | None) -> ErasureReport:
        return ErasureReport(
            id=id,
            location=self._keys.location(self._bucket.location),
            erased_versions=tally.versions,
            erased_bytes=tally.size,
            keys=sorted(tally.keys),
            kept=list(tally.kept.values()),
            recreated=sorted(tally.recreated),
            uploads_aborted=tally.uploads,
            not_covered=tally.not_covered,
            verified_at=verified_at,
        )


@contextmanager
def _partly_done() -> Iterator[None]:
    """Report a request without a response as one after which something may have been changed, since there are several steps."""
    try:
        yield
    except StoreUnavailableError as error:
        raise error.with_outcome("unknown") from error.__cause__


def _key(info: ObjectInfo) -> str:
    return info.key


def _after_delete(before: set[str]) -> Callable[[Rows], Awaitable[Rows]]:
    """``before`` has the ids listed before the delete. A listing that left rows out can uncover others, by the end of a delete marker."""
    deletes: dict[str, datetime] = {}

    async def choose(rows: Rows) -> Rows:
        key = rows[0].key
        if key in deletes:
            before.update(row.version_id for row in rows if row.updated_at < deletes[key])
        times = [row.updated_at for row in rows if row.is_delete]
        deletes.update({key: max(times)} if times else {})
        return erasable_after_delete(rows, before)

    return choose


def _beyond(keep: int) -> Callable[[Rows], Awaitable[Rows]]:
    async def choose(rows: Rows) -> Rows:
        return erasable_beyond(rows, keep)

    return choose


async def _replaced_or_deleted(rows: Rows) -> Rows:
    """All versions of a disposable object but a current one with contents."""
    live = [row for row in rows if row.is_current and not row.is_delete]
    return [row for row in rows if not row.is_current] if live else erasable_after_delete(rows, ())


def _unreadable(id: str, error: SessionCorruptedError) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"`change` of redact({shorten(id)}) is refused: with its result {error.key!r} could not be read ({error.reason}); an id cannot "
        "be redacted, so purge such a session; what was written before stays"
    )
