"""Retention: deleting sessions and parts that have not changed for long, from listings alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import list_pages
from sessionbucket._async.conditional_write_support import AsyncSupportProbe
from sessionbucket._async.documents import AsyncConditionalWriter
from sessionbucket._async.legacy_names import AsyncLegacyNames
from sessionbucket._async.session_listing import AsyncSessionListing
from sessionbucket._async.v1_snapshots import AsyncV1Snapshots
from sessionbucket._concurrency.asyncio_ import closing, gather
from sessionbucket._core.arguments import check_kind, check_text
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import ObjectInfo, ObjectVersion
from sessionbucket._core.retention import Retention, SweepOutcome, Swept, check_now, replaced_before
from sessionbucket.errors import ConflictError, NotSupportedError

_CONCURRENCY = 16
_CLOCK_STEP = timedelta(seconds=1)
_ORPHAN = "without a session"


class AsyncStoreRetention:
    """Deletes what a ``Retention`` no longer keeps. ``AsyncSessionStore.retention`` is one."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: AsyncBucket,
        keys: StoreKeys,
        writer: AsyncConditionalWriter,
        support: AsyncSupportProbe,
        legacy: AsyncLegacyNames,
        v1: AsyncV1Snapshots,
        listing: AsyncSessionListing,
    ) -> None:
        self._bucket = bucket
        self._keys = keys
        self._writer = writer
        self._support = support
        self._legacy = legacy
        self._v1 = v1
        self._listing = listing

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._keys.location(self._bucket.location)}>"

    def sweep(
        self, policy: Retention, *, prefix: str = "", dry_run: bool = False, now: datetime | None = None
    ) -> AsyncGenerator[Swept, None]:
        """Delete the sessions and parts that the policy no longer keeps, and yield each object.

        Only sessions whose ids start with ``prefix`` are swept. So several workers can sweep a store, each its own prefixes. With
        ``dry_run`` nothing is deleted. ``now`` is the present time by default.

        Each object is deleted in exactly the version that was listed, all sessions before the parts. Parts are deleted while they have
        no session and are older than ``policy.orphans``. So a session that is saved meanwhile keeps its parts, and a repeated sweep
        finishes one that was interrupted. Where the server has no conditional deletes, a HEAD compares the version right before the
        delete. Old versions are erased by their ids, for good. The current version and the last delete marker of a key stay.

        Raises ``InvalidArgumentError`` for bad arguments, ``NotSupportedError`` in a folder of a3s-code 5.0 and later and for ``history``
        in a bucket without versions, and ``StoreUnavailableError`` with the outcome ``"unknown"`` when a delete may have been done.
        """
        check_kind("policy", policy, Retention)
        check_text("prefix", prefix)
        check_now(now)
        return self._swept(_Sweep(policy, dry_run, now or datetime.now(UTC)), prefix)

    async def _swept(self, sweep: _Sweep, prefix: str) -> AsyncGenerator[Swept, None]:
        await self._v1.check_writable()
        if sweep.policy.history and not await self._bucket.keeps_versions():
            raise NotSupportedError(
                f"history {sweep.policy.history!r} is refused: {self._bucket.location} keeps no versions"
            )
        async with closing(self._listing.pages(prefix)) as pages:
            async for page in pages:
                for swept in await self._sweep_page(page, sweep, self._session_reason):
                    yield swept
        for start in self._keys.part_prefixes(prefix):
            async for parts in list_pages(self._bucket, start):
                for swept in await self._sweep_page(parts.objects, sweep, self._part_reason):
                    yield swept

        if sweep.policy.history:
            async with closing(self._erased(sweep, prefix, sweep.now - sweep.policy.history)) as erased:
                async for swept in erased:
                    yield swept

    async def _erased(self, sweep: _Sweep, prefix: str, time: datetime) -> AsyncGenerator[Swept, None]:
        """Erase the versions of sessions and parts that were replaced before this time, and yield each."""
        starts = (self._keys.id_prefix(prefix), *self._keys.part_prefixes(prefix))
        for start in starts if prefix else starts[:1]:
            async with closing(self._replaced(start, time)) as pages:
                async for due in pages:
                    for swept in await self._erase(due, dry_run=sweep.dry_run):
                        yield swept

    async def _replaced(self, prefix: str, time: datetime) -> AsyncGenerator[list[ObjectVersion], None]:
        """Yield the versions of sessions and parts that were replaced before this time, for each page of the listing.

        A page is yielded after the next one was listed, which begins at its last version.
        """
        page = await self._bucket.list_versions(prefix)
        before: list[ObjectVersion] = []
        while True:
            due = [
                each for each in replaced_before([*before, *page.versions], time) if self._stem_of(each.key)
            ]
            before = page.versions[-1:]
            after = page.next_start_after
            if after is not None:
                page = await self._bucket.list_versions(prefix, start_after=after)
            yield due
            if after is None:
                return

    async def _erase(self, due: list[ObjectVersion], *, dry_run: bool) -> list[Swept]:
        refused = {} if dry_run or not due else {kept[:2]: kept for kept in await self._bucket.erase(due)}
        found: list[Swept] = []
        for each in due:
            kept = refused.get((each.key, each.version_id))
            outcome: SweepOutcome = "due" if dry_run else "kept" if kept else "deleted"
            reason = kept.reason if kept else "replaced too long ago"
            id = self._id(self._stem_of(each.key))
            found.append(Swept(id, each.key, outcome, reason, each.version_id))
        return found

    def _stem_of(self, key: str) -> str:
        """The encoded id in the key of a session or part, or nothing for any other key."""
        if self._keys.session_id(key) is not None:
            return self._keys.stem(key)
        return self._keys.part(key)[1] if key.startswith(self._keys.part_folders) else ""

    async def _sweep_page(
        self, page: Sequence[ObjectInfo], sweep: _Sweep, reason_of: Callable[[ObjectInfo, _Sweep], str]
    ) -> list[Swept]:
        due = [(info, reason) for info in page if (reason := reason_of(info, sweep))]
        found = await gather(
            [partial(self._sweep_object, info, reason, sweep) for info, reason in due], limit=_CONCURRENCY
        )
        return [swept for swept in found if swept]

    def _session_reason(self, info: ObjectInfo, sweep: _Sweep) -> str:
        """Why a listed session is due, or nothing."""
        is_snapshot = info.version is None and not self._bucket.capabilities.is_folder
        if self._keys.session_id(info.key) is None:
            return ""
        if is_snapshot or not sweep.is_due(info, sweep.policy.idle):
            sweep.kept.add(self._keys.stem(info.key))
            return ""
        return "not saved for too long"

    def _part_reason(self, info: ObjectInfo, sweep: _Sweep) -> str:
        """Why a listed part is due, or nothing."""
        name, stem = self._keys.part(info.key)
        if name and sweep.is_due(info, sweep.policy.keeps(name)):
            return "not changed for too long"
        if name and stem not in sweep.kept and sweep.is_due(info, sweep.policy.orphans):
            return _ORPHAN
        return ""

    async def _sweep_object(self, info: ObjectInfo, reason: str, sweep: _Sweep) -> Swept | None:
        is_session = info.key.rpartition("/")[0] == self._keys.root.rstrip("/")
        stem = self._keys.stem(info.key) if is_session else self._keys.part(info.key)[1]
        goes_with_session = sweep.dry_run and stem in sweep.due
        if reason == _ORPHAN and not goes_with_session and await self._has_session(stem):
            return None
        if sweep.dry_run:
            outcome: SweepOutcome = "due"
        else:
            outcome = "deleted" if await self._delete(info) else "changed"
        if is_session:
            (sweep.kept if outcome == "changed" else sweep.due).add(stem)
        return Swept(self._id(stem), info.key, outcome, reason)

    def _id(self, stem: str) -> str:
        return self._keys.session_id(self._keys.session(stem)) or stem

    async def _has_session(self, stem: str) -> bool:
        """Whether parts with this stem have a session: under the stem, a legacy name, or in a snapshot."""
        if await self._bucket.exists(self._keys.session(stem)):
            return True
        id = self._id(stem)
        return await self._legacy.find(id) is not None or await self._v1.exists(id)

    async def _delete(self, info: ObjectInfo) -> bool:
        """Delete a listed object. Returns False when it is no longer as listed."""
        current = await self._bucket.head(info.key)
        if current is None or not _is_unchanged(info, current):
            return False
        if not await self._support.deletes_conditionally():
            await self._writer.delete_once([info.key])
            return True
        try:
            await self._writer.delete_if(info.key, current.version or "")
        except ConflictError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Sweep:
    """One sweep: the encoded ids of the sessions that it keeps, and of those that are due."""

    policy: Retention
    dry_run: bool
    now: datetime
    kept: set[str] = field(default_factory=set)
    due: set[str] = field(default_factory=set)

    def is_due(self, info: ObjectInfo, kept: timedelta | None) -> bool:
        """Whether an object that is kept for this time is due; never for None."""
        return kept is not None and self.now - info.updated_at > kept


def _is_unchanged(listed: ObjectInfo, current: ObjectInfo) -> bool:
    """Whether an object is as listed. A HEAD gives whole seconds, and equal bytes that were written again have a later time."""
    is_same = listed.version == current.version if listed.version else listed.size == current.size
    return is_same and abs(current.updated_at - listed.updated_at) < _CLOCK_STEP
