"""Looking through a whole store for what is not as it should be."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import pages
from sessionbucket._async.legacy_names import inner_id
from sessionbucket._concurrency.asyncio_ import gather
from sessionbucket._core.findings import Finding, Problem
from sessionbucket._core.keys import Layout
from sessionbucket._core.objects import ObjectInfo, StoredObject
from sessionbucket.errors import SessionCorruptedError, SessionTooLargeError

_AT_ONCE = 8
_IN_USE = timedelta(hours=1)


class AsyncStoreCheck:
    """Reads every session of a store, and lists everything else."""

    def __init__(
        self, bucket: AsyncBucket, layout: Layout, max_bytes: int, read: Callable[[str, StoredObject], object]
    ) -> None:
        self._bucket = bucket
        self._layout = layout
        self._max_bytes = max_bytes
        self._read = read

    async def findings(self) -> AsyncGenerator[Finding, None]:
        """What is wrong, in the order it is found."""
        stems: set[str] = set()
        async for infos in pages(self._bucket, self._layout.root, delimiter="/"):
            sessions = [info for info in infos if self._layout.session_id(info.key) is not None]
            stems.update(self._layout.stem(info.key) for info in sessions)
            for start in range(0, len(sessions), _AT_ONCE):
                calls = [partial(self._check_session, info) for info in sessions[start : start + _AT_ONCE]]
                for finding in await gather(calls):
                    if finding:
                        yield finding
        for folder in self._layout.part_folders:
            async for infos in pages(self._bucket, folder):
                for info in infos:
                    if self._layout.part_stem(info.key) not in stems:
                        yield Finding(info.key, Problem.ORPHAN, "a part without its session", removable=False)
        async for finding in self._leftovers():
            yield finding

    async def _check_session(self, info: ObjectInfo) -> Finding | None:
        try:
            found = await self._bucket.get(info.key, max_bytes=self._max_bytes)
            if found is not None:
                self._read(self._expected_id(found), found)
        except SessionCorruptedError as error:
            return Finding(info.key, Problem.CORRUPTED, error.reason, removable=False)
        except SessionTooLargeError as error:
            return Finding(info.key, Problem.CORRUPTED, str(error), removable=False)
        return None

    def _expected_id(self, found: StoredObject) -> str:
        """The id that belongs inside: the key's, or one for which a3s-code would have used this key."""
        inside = inner_id(found.body)
        if isinstance(inside, str) and self._layout.is_reference_key(inside, found.info.key):
            return inside
        return self._layout.session_id(found.info.key) or ""

    async def _leftovers(self) -> AsyncGenerator[Finding, None]:
        """What an interrupted probe, health check or write left behind, once it is too old to be in use."""
        before = datetime.now(UTC) - _IN_USE
        async for infos in pages(self._bucket, self._layout.bookkeeping):
            for info in infos:
                if info.updated_at < before:
                    yield Finding(info.key, Problem.LEFTOVER, "a probe that was cut off", removable=True)
        for info in await self._bucket.leftovers(self._layout.root):
            if info.updated_at < before:
                yield Finding(info.key, Problem.LEFTOVER, "a write that was cut off", removable=True)

    async def repair(self, findings: Sequence[Finding]) -> list[Finding]:
        """Remove those that are safe to remove; gives those that were. The rest stays where it is."""
        removable = [finding for finding in findings if finding.removable]
        if removable:
            await self._bucket.delete([finding.key for finding in removable])
        return removable
