# Generated from sessionbucket/_async/session_summaries.py by scripts/generate_sync.py: do not edit.
"""Summaries of sessions: from the metadata of an object, from the catalog, or else from the body."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sessionbucket._concurrency.threads import WorkerPool, closing, in_thread
from sessionbucket._core.catalog import (
    CATALOG_SUFFIX,
    MOST_ROWS,
    ROWS_A_SHARD,
    decode_shard,
    encode_shard,
    local_now,
    new_row,
    place,
    shard_of,
    shards_of,
    summary_in,
    token_of,
)
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import (
    PAGE_LIMIT,
    Always,
    Condition,
    IfAbsent,
    IfMatch,
    ObjectInfo,
    StoredObject,
)
from sessionbucket._core.pagination import check_limit
from sessionbucket._core.summary import SessionSummary, Summarizer, SummaryPage, accepts
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.bucket_listing import list_objects, next_page
from sessionbucket._sync.session_listing import SessionListing
from sessionbucket._sync.session_reader import SessionReader
from sessionbucket._sync.v1_snapshots import V1Snapshots
from sessionbucket.errors import (
    InvalidSessionIdError,
    SessionBucketError,
    SessionCorruptedError,
    SessionTooLargeError,
    shorten,
)

if TYPE_CHECKING:
    from sessionbucket._concurrency.threads import PendingCall

logger = logging.getLogger(__name__)

Where = Callable[[SessionSummary], object]
Pages = Generator[list[ObjectInfo], None, None]

_LISTED_AT_ONCE = 2  # more requests at once list a store of a few pages with many requests
_REQUESTS = 32
_BUFFERED_ROWS = 4 * PAGE_LIMIT
_LARGEST_SHARD = 64 << 20


class _Found(NamedTuple):
    """The summary to show of a listed object, and its row in the catalog; None for an object without one."""

    summary: SessionSummary | None
    row: str | None


class SessionSummaries:
    """Joins a listing with the summaries of its sessions."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: Bucket,
        keys: StoreKeys,
        v1: V1Snapshots,
        reader: SessionReader[Any],
        listing: SessionListing,
        summarizer: Summarizer,
    ) -> None:
        self._bucket = bucket
        self._keys = keys
        self._v1 = v1
        self._reader = reader
        self._listing = listing
        self._summarizer = summarizer
        self._has_metadata = bucket.capabilities.keeps_metadata
        self._has_body_size = bucket.capabilities.lists_body_sizes

    def find(self, id: str) -> SessionSummary | None:
        """The summary of one session, or None when it does not exist."""
        if self._has_metadata:
            info = self._bucket.head(self._keys.of_session(id).session)
            summary = self._described(info) if info else None
            if summary is not None and summary.id == id:
                return summary
        found = self._reader.find(id)
        return None if found is None else self._summarizer.summary(self._reader.decode(id, found))

    def iterate(self, prefix: str, where: Where | None) -> Generator[SessionSummary, None, None]:
        """Yield the summaries of all sessions that ``where`` accepts, and bring the catalog up to date."""
        pages = self._listing.pages(prefix, concurrency=_LISTED_AT_ONCE)
        joined = self._joined(pages, prefix, updates_catalog=True)
        with closing(joined):
            for _, summary in joined:
                if where is None or accepts(where, summary):
                    yield summary

    def page(self, prefix: str, limit: int, cursor: str | None, where: Where | None) -> SummaryPage:
        """One page of the summaries that ``where`` accepts."""
        if where is None:
            rows, next_cursor = self._listing.rows(prefix, limit, cursor)
            page = self._joined(_one_page(rows), prefix, uses_catalog=len(rows) > _REQUESTS)
            return SummaryPage([summary for _, summary in page], next_cursor)
        check_limit(limit)
        found: list[SessionSummary] = []
        last: ObjectInfo | None = None
        with closing(self._joined(self._listing.pages(prefix, cursor=cursor), prefix)) as joined:
            for info, summary in joined:
                if accepts(where, summary):
                    if last is not None and len(found) == limit:
                        return SummaryPage(found, self._listing.cursor_after(last))
                    found.append(summary)
                    last = info
        return SummaryPage(found, None)

    def _joined(
        self, pages: Pages, prefix: str, *, uses_catalog: bool = True, updates_catalog: bool = False
    ) -> Generator[tuple[ObjectInfo, SessionSummary], None, None]:
        """Yield the sessions of the pages with their summaries, in order."""
        due: deque[tuple[ObjectInfo, _Found | PendingCall[_Found]]] = deque()
        running = 0
        with closing(pages), WorkerPool(_REQUESTS + 2) as pool:
            catalog = self._catalog(pool, prefix) if uses_catalog else None
            with closing(self._looked_up(pages, pool, catalog)) as looked_up:
                for next_due in looked_up:
                    if next_due is not None:
                        due.append(next_due)
                        running += not isinstance(next_due[1], _Found)
                    is_full = next_due is None or running == _REQUESTS or len(due) == _BUFFERED_ROWS
                    while due and (is_full or _is_known(due[0][1])):
                        info, found = due.popleft()
                        if not isinstance(found, _Found):
                            pool.wait([found])
                            found = found.result()
                            running -= 1
                            is_full = next_due is None
                        if catalog and updates_catalog:
                            catalog.note(self._keys.stem(info.key), found.row)
                        if found.summary is not None:
                            yield info, found.summary
            if catalog and updates_catalog:
                catalog.finish()

    def _catalog(self, pool: WorkerPool, prefix: str) -> _Catalog:
        return _Catalog(self._bucket, self._keys, self._summarizer.fingerprint, pool, prefix)

    def _looked_up(
        self, pages: Pages, pool: WorkerPool, catalog: _Catalog | None
    ) -> Generator[tuple[ObjectInfo, _Found | PendingCall[_Found]] | None, None, None]:
        """Yield the sessions of the pages with the rows of the catalog, or with requests for those that it lacks; None at the end.

        The next page is requested at the same time.
        """
        now = None if self._has_metadata else local_now()
        coming = pool.start(partial(next_page, pages))
        while True:
            pool.wait([coming])
            page = coming.result()
            if page is None:
                break
            coming = pool.start(partial(next_page, pages))
            for info in page:
                id = self._keys.session_id(info.key)
                if id is None:
                    continue
                stem, token = self._keys.stem(info.key), token_of(info, now)
                row = catalog.row(stem) if catalog else None
                summary = None if row is None else summary_in(row, stem, token)
                if summary is None:
                    yield info, pool.start(partial(self._request, info, token, now))
                elif summary.id == id:
                    yield info, _Found(summary, row)
                else:
                    yield info, pool.start(partial(self._checked, info.key, summary, row))
        yield None

    def _request(self, info: ObjectInfo, token: str | None, now: datetime | None) -> _Found:
        """The summary of a listed session that the catalog lacks."""
        current, summary = self._current(info)
        if current is None:
            return _Found(None, None)  # it was deleted since the listing
        new_token = token_of(current, now) if token else None
        if summary.problem is not None or new_token is None:
            return self._checked(info.key, summary, None)
        return self._checked(info.key, summary, new_row(self._keys.stem(info.key), new_token, summary))

    def _current(self, info: ObjectInfo) -> tuple[ObjectInfo | None, SessionSummary]:
        """The current description and summary of a listed session."""
        id = self._keys.session_id(info.key) or ""
        found: StoredObject | None
        try:
            if self._has_metadata and info.version is not None:
                current = self._bucket.head(info.key)
                summary = self._described(current) if current else SessionSummary(id)
                if summary is not None:
                    return current, summary
                found = self._reader.get(info.key)
            else:  # a file, or a session in a snapshot
                found = self._v1.find_first(id)
                found = found or self._reader.get(info.key) or self._v1.find_last(id)
            if found is None:
                return None, SessionSummary(id)
            return found.info, self._summarizer.summary(self._reader.parse(found))
        except SessionCorruptedError as error:
            return info, SessionSummary(id, problem=error.reason)
        except (SessionTooLargeError, InvalidSessionIdError) as error:
            return info, SessionSummary(id, problem=str(error))

    def _described(self, info: ObjectInfo) -> SessionSummary | None:
        return self._summarizer.read(info.metadata, info.size if self._has_body_size else None)

    def _checked(self, key: str, summary: SessionSummary, row: str | None) -> _Found:
        """The summary, if the object at the key is that of its session.

        An object under a legacy name has no summary while its session has another one under the encoded id.
        """
        listed = self._keys.session_id(key) or ""
        if summary.id == listed:
            return _Found(summary, row)
        if not self._keys.is_legacy_key(summary.id, key):
            problem = f"it contains the id {shorten(summary.id)}, not the requested {shorten(listed)}"
            return _Found(SessionSummary(listed, problem=problem), row)
        is_hidden = self._bucket.exists(self._keys.of_session(summary.id).session)
        return _Found(None if is_hidden else summary, row)


class _Catalog:
    """The shards of one listing of sessions whose ids start with a prefix.

    A shard that gets too many rows is cut into several, each named after its first row. It is deleted unless one of them has its name.
    ``row`` and ``note`` are called for the sessions in the order of the listing, ``note`` some sessions behind ``row``. Errors of the
    storage make the catalog shorter or leave it as it is.
    """

    def __init__(
        self, bucket: Bucket, keys: StoreKeys, fingerprint: str, pool: WorkerPool, prefix: str
    ) -> None:
        self._bucket = bucket
        self._folder = keys.catalog
        self._fingerprint = fingerprint
        self._pool = pool
        self._start = keys.id_prefix(prefix).removeprefix(keys.root)
        self._opening = pool.start(self._open)
        self._is_open = False
        self._names: list[str] = []
        self._places: list[str] = []
        self._shards: dict[int, PendingCall[_Shard]] = {}
        self._ahead = 0
        self._ahead_rows: dict[str, str] = {}
        self._behind = 0
        self._listed: dict[str, str] = {}
        self._cut_at: set[str] = set()
        self._writes: list[PendingCall[None]] = []

    def _open(self) -> list[str]:
        try:
            found = list_objects(self._bucket, self._folder)
        except SessionBucketError as error:
            logger.debug("the catalog at %s is not read: %s", self._bucket.location, error)
            return []
        names = [info.key.removeprefix(self._folder) for info in found]
        stems = [
            name.removesuffix(CATALOG_SUFFIX)
            for name in names
            if name.endswith(CATALOG_SUFFIX) and "/" not in name
        ]
        return sorted(stems, key=place)

    def _load(self, at: int) -> _Shard:
        if at >= len(self._names):
            return _Shard(None, None, {})
        name = self._names[at]
        try:
            found = self._bucket.get(self._key(name), max_bytes=_LARGEST_SHARD)
        except SessionBucketError as error:
            logger.debug("a shard at %s is not read: %s", self._bucket.location, error)
            found = None
        if found is None:
            return _Shard(name, None, {})
        return _Shard(name, found.info.version, in_thread(decode_shard, found.body, self._fingerprint))

    def _key(self, name: str) -> str:
        return f"{self._folder}{name}{CATALOG_SUFFIX}"

    def _shard(self, at: int) -> _Shard:
        for each in (at, at + 1):
            if each not in self._shards and (each == at or self._is_in_prefix(each)):
                self._shards[each] = self._pool.start(partial(self._load, each))
        self._pool.wait([self._shards[at]])
        return self._shards[at].result()

    def _is_in_prefix(self, at: int) -> bool:
        """Whether the sessions of a shard after the first one of the prefix are all, or at first, in the prefix."""
        return at < len(self._names) and self._names[at].startswith(self._start)

    def row(self, stem: str) -> str | None:
        """The row of a session."""
        if not self._is_open:
            self._wait_until_open()
            self._ahead_rows = (self._shard(self._ahead)).rows
        while self._ahead + 1 < len(self._places) and place(stem) >= self._places[self._ahead + 1]:
            self._ahead += 1
            self._ahead_rows = (self._shard(self._ahead)).rows
        return self._ahead_rows.get(stem)

    def _wait_until_open(self) -> None:
        self._pool.wait([self._opening])
        self._names = self._opening.result()
        self._places = [place(name) for name in self._names]
        self._ahead = self._behind = shard_of(self._places, self._start)
        self._is_open = True

    def note(self, stem: str, row: str | None) -> None:
        """Note the present row of a listed session. None if it has none."""
        while self._behind + 1 < len(self._places) and place(stem) >= self._places[self._behind + 1]:
            self._finish_shard()
        if row is not None:
            self._listed[stem] = row
        if len(self._listed) > MOST_ROWS and not (self._start and self._names):
            rows = iter(self._listed.items())
            self._cut_shard(dict(islice(rows, ROWS_A_SHARD)), self._shard(self._behind))
            self._listed = dict(rows)

    def finish(self) -> None:
        """Write what has changed."""
        if not self._is_open:
            self._wait_until_open()
        self._finish_shard()
        while self._is_in_prefix(self._behind):
            self._finish_shard()
        for write in self._writes:
            self._pool.wait([write])
            write.result()

    def _finish_shard(self) -> None:
        """Write the rows of a shard whose sessions have all been listed, if they have changed."""
        shard = self._shard(self._behind)
        del self._shards[self._behind]
        rows = {stem: row for stem, row in shard.rows.items() if not stem.startswith(self._start)}
        rows |= self._listed
        if self._cut_at or rows != shard.rows:
            if self._start:
                rows = dict(sorted(rows.items(), key=lambda item: place(item[0])))
            self._replace(shard, rows)
        self._behind += 1
        self._listed, self._cut_at = {}, set()

    def _replace(self, shard: _Shard, rows: dict[str, str]) -> None:
        """Write the rows of a shard that are not written yet: all of them, or the last ones of a shard that is being cut."""
        if not self._cut_at and len(rows) <= MOST_ROWS:
            self._start_writing(rows, shard)
            return
        for each in shards_of(rows):
            self._cut_shard(each, shard)
        if shard.name not in self._cut_at:
            self._start_writing({}, shard)

    def _cut_shard(self, rows: dict[str, str], shard: _Shard) -> None:
        """Write some of a shard's rows as a shard that begins with the first of them."""
        name = next(iter(rows))
        self._cut_at.add(name)
        self._start_writing(rows, shard if shard.name == name else _Shard(None, None, {}))

    def _start_writing(self, rows: dict[str, str], shard: _Shard) -> None:
        self._writes.append(self._pool.start(partial(self._write, rows, shard)))

    def _write(self, rows: dict[str, str], shard: _Shard) -> None:
        """Write rows over a shard. The writer of a newer version of it wins."""
        name = shard.name or next(iter(rows), None)
        if name is None:
            return
        condition: Condition = IfMatch(shard.version) if shard.version else IfAbsent()
        if self._bucket.capabilities.conditional_writes == "off":
            condition = Always()
        try:
            if rows:
                body = in_thread(encode_shard, self._fingerprint, rows.values())
                self._bucket.put(self._key(name), body, condition=condition, content_type="application/gzip")
            elif shard.version:
                self._bucket.delete([self._key(name)])
        except SessionBucketError as error:
            logger.debug("a shard at %s is not written: %s", self._bucket.location, error)


class _Shard(NamedTuple):
    """A shard as it was read: its name and version, None when it does not exist, and its rows by stem."""

    name: str | None
    version: str | None
    rows: dict[str, str]


def _one_page(rows: list[ObjectInfo]) -> Pages:
    yield rows


def _is_known(found: _Found | PendingCall[_Found]) -> bool:
    return isinstance(found, _Found) or found.done()
