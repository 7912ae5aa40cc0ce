"""Listing sessions: the rows of a bucket under the prefix that are sessions, in pages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import list_pages, list_pages_in_parallel, requested_ahead
from sessionbucket._async.v1_snapshots import AsyncV1Snapshots
from sessionbucket._concurrency.asyncio_ import closing
from sessionbucket._core.keys import SUFFIX, StoreKeys
from sessionbucket._core.objects import PAGE_LIMIT, ObjectInfo, ObjectPage
from sessionbucket._core.pagination import check_limit, decode_cursor, encode_cursor, next_start
from sessionbucket._core.results import SessionInfo, SessionPage
from sessionbucket.errors import InvalidArgumentError

_FOLDER_ROWS = 4  # artifacts/, traces/, verification/ and .sessionbucket/ take rows beside the sessions


class AsyncSessionListing:
    """Lists the sessions directly under a prefix, and those of the v1 layout between them, in the order of their keys."""

    def __init__(self, bucket: AsyncBucket, keys: StoreKeys, v1: AsyncV1Snapshots) -> None:
        self._bucket = bucket
        self._keys = keys
        self._v1 = v1

    async def iterate(self, prefix: str, concurrency: int) -> AsyncGenerator[SessionInfo, None]:
        """Yield all sessions."""
        async with closing(requested_ahead(self.pages(prefix, concurrency=concurrency))) as pages:
            async for objects in pages:
                for session in self._sessions(objects):
                    yield session

    async def ids(self) -> list[str]:
        """The ids of all sessions."""
        found: list[str] = []
        async for objects in self.pages(""):
            ids = [self._keys.session_id(info.key) for info in objects]
            found += [id for id in ids if id is not None]
        return found

    async def pages(
        self, prefix: str, *, concurrency: int = 1, cursor: str | None = None
    ) -> AsyncGenerator[list[ObjectInfo], None]:
        """Yield the objects of all sessions after the cursor, and others whose keys are no session's.

        Several requests at a time list the whole prefix, without a cursor.
        """
        start = self._keys.id_prefix(prefix)
        snapshots: list[ObjectInfo] | None = None
        if concurrency == 1:
            after = self._row_after(cursor, start)
            async for page in list_pages(self._bucket, start, delimiter="/", start_after=after):
                if snapshots is None:
                    snapshots = await self._snapshots(prefix, after, page)
                yield self._merge(page.objects, snapshots)
        else:
            first: list[ObjectPage] = []
            parallel = list_pages_in_parallel(
                self._bucket, start, suffix=SUFFIX, concurrency=concurrency, first_page=first
            )
            async with closing(parallel) as pages:
                async for objects in pages:
                    if snapshots is None:
                        snapshots = await self._snapshots(prefix, "", first[0])
                    yield self._merge(objects, snapshots)
            if snapshots is None:
                snapshots = await self._snapshots(prefix, "", first[0])
        yield snapshots or []

    async def _snapshots(self, prefix: str, after: str, first: ObjectPage) -> list[ObjectInfo]:
        """The rows of the v1 layout. ``first`` is the first page of the listing, which may prove that there are none."""
        is_whole_listing = not prefix and not after and next_start(first) is None
        if is_whole_listing and self._keys.v1_folder not in first.folders:
            return []
        return [info for info in await self._v1.rows(prefix) if info.key > after]

    def _merge(self, objects: list[ObjectInfo], snapshots: list[ObjectInfo]) -> list[ObjectInfo]:
        """The rows of a page and the snapshots up to its end, which are removed from ``snapshots``."""
        due = bisect_right(snapshots, objects[-1].key, key=lambda info: info.key) if objects else 0
        if not due:
            return objects
        rows = {info.key: info for info in snapshots[:due]}
        del snapshots[:due]
        own = {info.key: info for info in objects}
        merged = {**own, **rows} if self._v1.come_first else {**rows, **own}
        return [merged[key] for key in sorted(merged)]

    async def page(self, prefix: str, limit: int, cursor: str | None) -> SessionPage:
        """Return one page."""
        rows, next_cursor = await self.rows(prefix, limit, cursor)
        return SessionPage(self._sessions(rows), next_cursor)

    async def rows(self, prefix: str, limit: int, cursor: str | None) -> tuple[list[ObjectInfo], str | None]:
        """The sessions of a page, and the next cursor.

        That takes usually one request for the rows of the page, one more, and those of the folders.

        The additional row shows whether there is another page. When one request cannot return all these rows, the page has as
        many sessions as the request returned.
        """
        check_limit(limit)
        start = self._keys.id_prefix(prefix)
        first_after = self._row_after(cursor, start)
        after: str | None = first_after
        rows = min(limit + 1 + _FOLDER_ROWS, PAGE_LIMIT)
        found: list[ObjectInfo] = []
        snapshots: list[ObjectInfo] | None = None
        while after is not None and len(found) <= limit:
            page = await self._bucket.list_page(start, delimiter="/", start_after=after, limit=rows)
            if snapshots is None:
                snapshots = await self._snapshots(prefix, first_after, page)
            found += [info for info in page.objects if self._keys.session_id(info.key) is not None]
            after = next_start(page)
            if found and rows == PAGE_LIMIT >= limit:
                break
        snapshots = snapshots or []
        found = self._merge(found, snapshots)
        if after is None:
            found += snapshots
        rows_of_page = found[:limit]
        has_more = after is not None or len(found) > limit
        return rows_of_page, self.cursor_after(rows_of_page[-1]) if has_more and rows_of_page else None

    def cursor_after(self, info: ObjectInfo) -> str:
        """The cursor of the rows after this one."""
        return encode_cursor(info.key.removeprefix(self._keys.root))

    def _row_after(self, cursor: str | None, start: str) -> str:
        if cursor is None:
            return ""
        row = self._keys.root + decode_cursor(cursor)
        if not row.startswith(start):
            raise InvalidArgumentError(
                "the cursor is refused: it belongs to a listing with another id prefix"
            )
        return row

    def _sessions(self, objects: list[ObjectInfo]) -> list[SessionInfo]:
        session_id = self._keys.session_id
        return [
            SessionInfo(id, info.size, info.updated_at, info.version)
            for info in objects
            if (id := session_id(info.key)) is not None
        ]
