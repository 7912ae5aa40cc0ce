"""Listing sessions: a bucket's rows under the prefix, those that are sessions, in pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import next_start, pages, pages_at_once
from sessionbucket._concurrency.asyncio_ import closing
from sessionbucket._core.keys import SUFFIX, Layout
from sessionbucket._core.objects import PAGE_LIMIT, ObjectInfo
from sessionbucket._core.pagination import SessionInfo, SessionPage, check_limit, read_cursor, write_cursor
from sessionbucket.errors import InvalidArgumentError

_FOLDER_ROWS = 4  # artifacts/, traces/, verification/ and .sessionbucket/ take rows beside the sessions


class AsyncSessionListing:
    """The sessions directly under a prefix."""

    def __init__(self, bucket: AsyncBucket, layout: Layout) -> None:
        self._bucket = bucket
        self._layout = layout

    async def iterate(self, prefix: str, concurrency: int) -> AsyncGenerator[SessionInfo, None]:
        """All sessions, in whole pages of the bucket's."""
        async with closing(self._objects(prefix, concurrency)) as pages_of_objects:
            async for objects in pages_of_objects:
                for info in objects:
                    session = self._session(info)
                    if session:
                        yield session

    async def ids(self) -> list[str]:
        """The ids of all sessions."""
        found: list[str] = []
        async for objects in self._objects("", 1):
            ids = [self._layout.session_id(info.key) for info in objects]
            found += [id for id in ids if id is not None]
        return found

    def _objects(self, prefix: str, concurrency: int) -> AsyncGenerator[list[ObjectInfo], None]:
        start = self._layout.id_prefix(prefix)
        if concurrency == 1:
            return pages(self._bucket, start, delimiter="/", limit=self._bucket.page_limit)
        return pages_at_once(self._bucket, start, suffix=SUFFIX, concurrency=concurrency)

    async def page(self, prefix: str, limit: int, cursor: str | None) -> SessionPage:
        """One page, in one request as a rule: the rows asked for leave room for the folders of the parts.

        One row more than the page tells whether there is another. Where a request can't hold that many rows, the
        page is what it gave.
        """
        check_limit(limit)
        start = self._layout.id_prefix(prefix)
        after: str | None = self._row_after(cursor, start)
        rows = min(limit + 1 + _FOLDER_ROWS, PAGE_LIMIT)
        found: list[tuple[str, SessionInfo]] = []
        while after is not None and len(found) <= limit:
            page = await self._bucket.list_page(start, delimiter="/", start_after=after, limit=rows)
            found += [(info.key, session) for info in page.objects if (session := self._session(info))]
            after = next_start(page)
            if found and rows == PAGE_LIMIT >= limit:
                break
        more = after is not None or len(found) > limit
        last = found[:limit][-1][0] if found else ""
        return SessionPage(
            [session for _, session in found[:limit]],
            write_cursor(last.removeprefix(self._layout.root)) if more and last else None,
        )

    def _row_after(self, cursor: str | None, start: str) -> str:
        if not cursor:
            return ""
        row = self._layout.root + read_cursor(cursor)
        if not row.startswith(start):
            raise InvalidArgumentError(
                "the cursor is refused: it comes from a listing with another id prefix"
            )
        return row

    def _session(self, info: ObjectInfo) -> SessionInfo | None:
        id = self._layout.session_id(info.key)
        return SessionInfo(id, info.size, info.updated_at, info.version) if id is not None else None
