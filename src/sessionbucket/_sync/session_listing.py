# Generated from sessionbucket/_async/session_listing.py by scripts/generate_sync.py: do not edit.
"""Listing sessions: the rows of a bucket under the prefix that are sessions, in pages."""

from __future__ import annotations

from collections.abc import Generator

from sessionbucket._concurrency.threads import closing
from sessionbucket._core.keys import SUFFIX, StoreKeys
from sessionbucket._core.objects import PAGE_LIMIT, ObjectInfo
from sessionbucket._core.pagination import check_limit, decode_cursor, encode_cursor, next_start
from sessionbucket._core.results import SessionInfo, SessionPage
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.bucket_listing import list_pages, list_pages_in_parallel
from sessionbucket.errors import InvalidArgumentError

_FOLDER_ROWS = 4  # artifacts/, traces/, verification/ and .sessionbucket/ take rows beside the sessions


class SessionListing:
    """Lists the sessions directly under a prefix."""

    def __init__(self, bucket: Bucket, keys: StoreKeys) -> None:
        self._bucket = bucket
        self._keys = keys

    def iterate(self, prefix: str, concurrency: int) -> Generator[SessionInfo, None, None]:
        """Yield all sessions."""
        with closing(self._objects(prefix, concurrency)) as pages:
            for objects in pages:
                for info in objects:
                    session = self._session(info)
                    if session:
                        yield session

    def ids(self) -> list[str]:
        """The ids of all sessions."""
        found: list[str] = []
        for objects in self._objects("", 1):
            ids = [self._keys.session_id(info.key) for info in objects]
            found += [id for id in ids if id is not None]
        return found

    def _objects(self, prefix: str, concurrency: int) -> Generator[list[ObjectInfo], None, None]:
        start = self._keys.id_prefix(prefix)
        if concurrency == 1:
            for page in list_pages(self._bucket, start, delimiter="/"):
                yield page.objects
            return
        parallel = list_pages_in_parallel(self._bucket, start, suffix=SUFFIX, concurrency=concurrency)
        with closing(parallel) as pages:
            for objects in pages:
                yield objects

    def page(self, prefix: str, limit: int, cursor: str | None) -> SessionPage:
        """Return one page, usually by one request for the rows of the page, one more, and those of the folders.

        The additional row shows whether there is another page. When one request cannot return all these rows, the page has as
        many sessions as the request returned.
        """
        check_limit(limit)
        start = self._keys.id_prefix(prefix)
        after: str | None = self._row_after(cursor, start)
        rows = min(limit + 1 + _FOLDER_ROWS, PAGE_LIMIT)
        found: list[tuple[str, SessionInfo]] = []
        while after is not None and len(found) <= limit:
            page = self._bucket.list_page(start, delimiter="/", start_after=after, limit=rows)
            found += [(info.key, session) for info in page.objects if (session := self._session(info))]
            after = next_start(page)
            if found and rows == PAGE_LIMIT >= limit:
                break
        has_more = after is not None or len(found) > limit
        last = found[:limit][-1][0] if found else ""
        return SessionPage(
            [session for _, session in found[:limit]],
            encode_cursor(last.removeprefix(self._keys.root)) if has_more and last else None,
        )

    def _row_after(self, cursor: str | None, start: str) -> str:
        if cursor is None:
            return ""
        row = self._keys.root + decode_cursor(cursor)
        if not row.startswith(start):
            raise InvalidArgumentError(
                "the cursor is refused: it belongs to a listing with another id prefix"
            )
        return row

    def _session(self, info: ObjectInfo) -> SessionInfo | None:
        id = self._keys.session_id(info.key)
        return SessionInfo(id, info.size, info.updated_at, info.version) if id is not None else None
