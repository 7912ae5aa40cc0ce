"""Ranges of sessions: a store split between many workers, and the listing of each range."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import list_pages
from sessionbucket._async.session_listing import AsyncSessionListing
from sessionbucket._concurrency.asyncio_ import closing
from sessionbucket._core.arguments import check_integer, check_kind
from sessionbucket._core.catalog import local_now, token_of
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.pagination import encode_cursor
from sessionbucket._core.session_ranges import ListedObject, RangeSplitter, SessionRange
from sessionbucket.errors import InvalidArgumentError

_PARTS = ("traces", "verification", "runs", "subagent_tasks")
"""The parts whose keys have the order of the sessions."""
_REQUESTS = 8


class AsyncSessionRanges:
    """Splits the sessions of a store into ranges, and lists them. ``AsyncSessionStore.ranges`` is one."""

    def __init__(self, bucket: AsyncBucket, keys: StoreKeys, listing: AsyncSessionListing) -> None:
        self._bucket = bucket
        self._keys = keys
        self._listing = listing

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._keys.location(self._bucket.location)}>"

    async def split(self, count: int, *, prefix: str = "") -> list[SessionRange]:
        """Return at most ``count`` ranges that cover all sessions whose ids start with ``prefix``, in order and without a gap.

        They have about equal numbers of sessions now, and fewer ranges where ids are too alike to be separated. It lists the sessions, in
        bounded memory, and reads none. Raises ``InvalidArgumentError`` for a ``count`` below 1.
        """
        check_integer("count", count, 1)
        splitter = RangeSplitter()
        async with closing(self._listing.pages(prefix, concurrency=_REQUESTS)) as pages:
            async for page in pages:
                for info in page:
                    if self._keys.session_id(info.key) is not None:
                        splitter.add(info.key.removeprefix(self._keys.root))
        return splitter.ranges(prefix, count)

    async def sessions(self, range: SessionRange) -> AsyncGenerator[ListedObject, None]:
        """Yield the sessions of a range, sorted by key. No body is read."""
        check_kind("range", range, SessionRange)
        cursor = encode_cursor(range.after) if range.after else None
        now = None if self._bucket.capabilities.keeps_metadata else local_now()
        async with closing(self._listing.pages(range.prefix, cursor=cursor)) as pages:
            async for page in pages:
                for info in page:
                    if range.ends_before(info.key.removeprefix(self._keys.root)):
                        return
                    id = self._keys.session_id(info.key)
                    if id is not None:
                        yield ListedObject(id, self._keys.stem(info.key), token_of(info, now))

    async def parts(self, range: SessionRange, name: str) -> AsyncGenerator[ListedObject, None]:
        """Yield the parts of this name of the sessions in a range, and of deleted ones, sorted by key. No body is read.

        ``name`` is ``"traces"``, ``"verification"``, ``"runs"`` or ``"subagent_tasks"``. Parts in snapshots of a3s-code are not listed.
        Raises ``InvalidArgumentError`` for any other name.
        """
        check_kind("range", range, SessionRange)
        if name not in _PARTS:
            raise InvalidArgumentError(f"name {name!r} is refused: it must be one of {', '.join(_PARTS)}")
        folder = f"{self._keys.root}{name}/"
        start = folder + self._keys.id_prefix(range.prefix).removeprefix(self._keys.root)
        after = folder + range.after if range.after else ""
        now = None if self._bucket.capabilities.keeps_metadata else local_now()
        async for page in list_pages(self._bucket, start, start_after=after):
            for info in page.objects:
                if range.ends_before(info.key.removeprefix(folder)):
                    return
                found, stem = self._keys.part(info.key)
                if found:
                    id = self._keys.session_id(self._keys.session(stem)) or stem
                    yield ListedObject(id, stem, token_of(info, now))
