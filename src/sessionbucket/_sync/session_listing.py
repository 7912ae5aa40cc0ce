# Generated from sessionbucket/_async/session_listing.py by scripts/generate_sync.py: do not edit.
"""Listing sessions: the rows of a bucket under the prefix that are sessions, in pages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator

from sessionbucket._concurrency.threads import closing
from sessionbucket._core.keys import SUFFIX, StoreKeys
from sessionbucket._core.objects import PAGE_LIMIT, ObjectInfo, ObjectPage
from sessionbucket._core.pagination import check_limit, decode_cursor, encode_cursor, next_start
from sessionbucket._core.results import SessionInfo, SessionPage
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.bucket_listing import list_pages, list_pages_in_parallel
from sessionbucket._sync.v1_snapshots import V1Snapshots
from sessionbucket.errors import InvalidArgumentError

_FOLDER_ROWS = 4  # artifacts/, traces/, verification/ and .sessionbucket/ take rows beside the sessions


class SessionListing:
    """Lists the sessions directly under a prefix, and those of the v1 layout between them, in the order of their keys."""

    def __init__(self, bucket: Bucket, keys: StoreKeys, v1: V1Snapshots) -> None:
        self._bucket = bucket
        self._keys = keys
        self._v1 = v1

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
        snapshots: list[ObjectInfo] | None = None
        if concurrency == 1:
            for page in list_pages(self._bucket, start, delimiter="/"):
                if snapshots is None:
                    snapshots = self._snapshots(prefix, "", page)
                yield self._merge(page.objects, snapshots)
        else:
            first: list[ObjectPage] = []
            parallel = list_pages_in_parallel(
                self._bucket, start, suffix=SUFFIX, concurrency=concurrency, first_page=first
            )
            with closing(parallel) as pages:
                for objects in pages:
                    if snapshots is None:
                        snapshots = self._snapshots(prefix, "", first[0])
                    yield self._merge(objects, snapshots)
            if snapshots is None:
                snapshots = self._snapshots(prefix, "", first[0])
        yield snapshots or []

    def _snapshots(self, prefix: str, after: str, first: ObjectPage) -> list[ObjectInfo]:
        """The rows of the v1 layout. ``first`` is the first page of the listing, which may prove that there are none."""
        is_whole_listing = not prefix and not after and next_start(first) is None
        if is_whole_listing and self._keys.v1_folder not in first.folders:
            return []
        return self._v1.rows(prefix)

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

    def page(self, prefix: str, limit: int, cursor: str | None) -> SessionPage:
        """Return one page, usually by one request for the rows of the page, one more, and those of the folders.

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
            page = self._bucket.list_page(start, delimiter="/", start_after=after, limit=rows)
            if snapshots is None:
                listed = self._snapshots(prefix, after, page)
                snapshots = [info for info in listed if info.key > first_after]
            found += [info for info in page.objects if self._keys.session_id(info.key) is not None]
            after = next_start(page)
            if found and rows == PAGE_LIMIT >= limit:
                break
        snapshots = snapshots or []
        found = self._merge(found, snapshots)
        if after is None:
            found += snapshots
        sessions = [session for info in found[:limit] if (session := self._session(info))]
        has_more = after is not None or len(found) > limit
        last = found[:limit][-1].key if found else ""
        return SessionPage(
            sessions, encode_cursor(last.removeprefix(self._keys.root)) if has_more and last else None
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
