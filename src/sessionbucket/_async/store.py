"""The session store over any bucket."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import timedelta
from functools import cached_property, partial
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NewType,
    TypeVar,
    cast,
    get_args,
    get_origin,
    overload,
)

from sessionbucket._async.base_store import (
    AsyncBaseSessionStore,
    Files,
    Ids,
    Loaded,
    SessionT,
    checked_session,
)
from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.conditional_write_support import AsyncSupportProbe
from sessionbucket._async.documents import AsyncConditionalWriter, AsyncDocumentStore
from sessionbucket._async.legacy_names import AsyncLegacyNames
from sessionbucket._async.session_reader import AsyncSessionReader
from sessionbucket._async.session_writer import AsyncSessionWriter
from sessionbucket._async.v1_snapshots import AsyncV1Snapshots
from sessionbucket._async.wrappers.retrying import AsyncRetryingBucket
from sessionbucket._codec import codec_of
from sessionbucket._codec.compression import Compression, check_compression
from sessionbucket._codec.summary_entries import SummaryEntries
from sessionbucket._concurrency.asyncio_ import FileSource, Items, closing
from sessionbucket._core.arguments import (
    check_function,
    check_header_text,
    check_integer,
    check_items,
    check_kind,
    check_text,
)
from sessionbucket._core.body_checksum import is_printed
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import DEFAULT_MAX_BYTES
from sessionbucket._core.pagination import check_concurrency
from sessionbucket._core.results import (
    IntegrationInfo,
    IntegrationPage,
    ProbeResult,
    SessionInfo,
    SessionPage,
)
from sessionbucket._core.session_version import StoredVersion, recall, remember
from sessionbucket._core.summary import check_where, summarizer_of
from sessionbucket.errors import InvalidArgumentError, SessionNotFoundError, shorten, shorten_list
from sessionbucket.models.conversation import Conversation

if TYPE_CHECKING:
    from sessionbucket._async.base_store import TraceEvents, VerificationReports
    from sessionbucket._async.erasure import AsyncErasure, FilesToRedact
    from sessionbucket._async.history import AsyncSessionHistory
    from sessionbucket._async.lease import AsyncLease
    from sessionbucket._async.raw_sessions import AsyncRawSessions
    from sessionbucket._async.retention import AsyncStoreRetention
    from sessionbucket._async.session_files import AsyncFileReader, AsyncSessionFiles
    from sessionbucket._async.session_listing import AsyncSessionListing
    from sessionbucket._async.session_parts import AsyncSessionParts
    from sessionbucket._async.session_ranges import AsyncSessionRanges
    from sessionbucket._async.session_summaries import AsyncSessionSummaries
    from sessionbucket._async.store_check import AsyncStoreCheck
    from sessionbucket._core.findings import Finding
    from sessionbucket._core.objects import StoredObject
    from sessionbucket._core.results import ErasureReport
    from sessionbucket._core.summary import SessionSummary, SummaryMode, SummaryPage
    from sessionbucket.models import ArtifactStore, SessionData, TraceEvent, VerificationReport

    Findings = list[Finding]  # inside the class, ``list`` is the method


logger = logging.getLogger(__name__)

_LARGE = 8_000_000
"""Bytes of a session above which a store warns."""


class AsyncSessionStore(AsyncBaseSessionStore[SessionT]):
    """Sessions and their parts in a bucket, under one prefix.

    Open one with ``open_async_store``, or construct it with a bucket of your own. One store serves any number of tasks; keep it
    open as long as the process lives. Every method may raise ``StoreUnavailableError``, ``AccessDeniedError`` and
    ``BucketNotFoundError``.
    """

    @overload
    def __init__(
        self: AsyncSessionStore[SessionData],
        bucket: AsyncBucket,
        prefix: str = "",
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        drop_unknown_members: bool = False,
        summarize: Callable[[SessionData], SessionSummary] | None = None,
        summaries: SummaryMode = "full",
        compression: Compression | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        bucket: AsyncBucket,
        prefix: str = "",
        *,
        model: type[SessionT],
        max_bytes: int = DEFAULT_MAX_BYTES,
        drop_unknown_members: bool = False,
        summarize: Callable[[SessionT], SessionSummary] | None = None,
        summaries: SummaryMode = "full",
        compression: Compression | None = None,
    ) -> None: ...

    def __init__(
        self,
        bucket: AsyncBucket,
        prefix: str = "",
        *,
        model: type[SessionT] | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
        drop_unknown_members: bool = False,
        summarize: Callable[[Any], SessionSummary] | None = None,
        summaries: SummaryMode = "full",
        compression: Compression | None = None,
    ) -> None:
        """``model`` is ``Conversation`` or any pydantic model with an ``id: str``; ``SessionData`` by default. ``max_bytes`` is the largest size of a session or a part.

        ``summarize`` returns the summary of a session of your own model, from the session alone. Its name marks the summaries that it
        made, so give it another name when it changes. With ``summaries="no-text"``, summaries have no titles.

        A model may ignore members of an object that it does not declare. Then a save of the loaded session would drop them, and
        is refused, unless ``drop_unknown_members`` is set.

        With ``compression="zstd"``, the JSON of new versions of sessions and parts is compressed. Every store reads both. Other programs,
        a3s-code among them, do not read compressed objects.

        Raises ``InvalidArgumentError`` for a bad prefix, a model without an id, a ``summarize`` without a name, and compression in a folder.
        Raises ``NotSupportedError`` for compression without the extra ``zstd``.
        """
        chosen = default_model() if model is None else model
        check_kind("bucket", bucket, AsyncBucket)
        check_integer("max_bytes", max_bytes, 1)
        check_model(chosen)
        if compression is not None:  # the capabilities of a bucket load its client
            check_compression(compression, is_folder=bucket.capabilities.is_folder)
        self.bucket = bucket
        self._keys = StoreKeys(prefix)
        self._model = chosen
        self._max_bytes = max_bytes
        self._drop_unknown_members = drop_unknown_members
        self._codec = codec_of(chosen, max_bytes=max_bytes)
        self._summarizer = summarizer_of(chosen, summarize, summaries)
        self._retrying = AsyncRetryingBucket(bucket)
        self._support = AsyncSupportProbe(self._retrying, f"{self._keys.bookkeeping}probe/")
        self._conditional = AsyncConditionalWriter(bucket, self._support)
        self._legacy = AsyncLegacyNames(self._retrying, self._keys, max_bytes)
        self._v1 = AsyncV1Snapshots(self._retrying, self._keys, max_bytes)
        self._reader = AsyncSessionReader(
            self._retrying, self._keys, self._legacy, self._v1, self._codec, max_bytes
        )
        self._writer = AsyncSessionWriter(
            self._retrying,
            self._keys,
            self._conditional,
            self._support,
            self._legacy,
            self._v1,
            compression,
        )
        self._has_warned = False

    # What a load and a save of a session do not need is loaded and made on first use, and what needs the bucket's capabilities, which
    # load a client.

    @cached_property
    def _summary_entries(self) -> SummaryEntries:
        return SummaryEntries(
            self._summarizer, self._codec, keeps_metadata=self.bucket.capabilities.keeps_metadata
        )

    @cached_property
    def _parts(self) -> AsyncSessionParts:
        from sessionbucket._async.session_parts import AsyncSessionParts  # noqa: PLC0415

        return AsyncSessionParts(
            self._retrying, self._keys, self._legacy, self._v1, self._reader, self._writer, self._max_bytes
        )

    @cached_property
    def _files(self) -> AsyncSessionFiles:
        from sessionbucket._async.session_files import AsyncSessionFiles  # noqa: PLC0415

        return AsyncSessionFiles(self._retrying, self._keys, self._v1)

    @cached_property
    def _listing(self) -> AsyncSessionListing:
        from sessionbucket._async.session_listing import AsyncSessionListing  # noqa: PLC0415

        return AsyncSessionListing(self._retrying, self._keys, self._v1)

    @cached_property
    def ranges(self) -> AsyncSessionRanges:
        """Ranges of sessions, for workers that share the store."""
        from sessionbucket._async.session_ranges import AsyncSessionRanges  # noqa: PLC0415 (seldom needed)

        return AsyncSessionRanges(self._retrying, self._keys, self._listing)

    @cached_property
    def raw(self) -> AsyncRawSessions:
        """The sessions as they are stored, byte for byte."""
        from sessionbucket._async.raw_sessions import AsyncRawSessions  # noqa: PLC0415

        return AsyncRawSessions(
            self._retrying,
            self._keys,
            self._legacy,
            self._v1,
            self._reader,
            self._writer,
            self._parts,
            self._summary_entries,
        )

    @cached_property
    def retention(self) -> AsyncStoreRetention:
        """Deletes sessions and parts that have not changed for long."""
        from sessionbucket._async.retention import AsyncStoreRetention  # noqa: PLC0415 (seldom needed)

        return AsyncStoreRetention(
            self._retrying,
            self._keys,
            self._conditional,
            self._support,
            self._legacy,
            self._v1,
            self._listing,
        )

    @cached_property
    def _summaries(self) -> AsyncSessionSummaries:
        from sessionbucket._async.session_summaries import AsyncSessionSummaries  # noqa: PLC0415

        if self._summarizer is None:
            raise InvalidArgumentError(
                f"sessions of model {self._model.__name__} have no summaries: open the store with summarize=, a function that returns "
                "the SessionSummary of a session"
            )
        return AsyncSessionSummaries(
            self._retrying, self._keys, self._v1, self._reader, self._listing, self._summarizer
        )

    @cached_property
    def _erasure(self) -> AsyncErasure:
        from sessionbucket._async.erasure import AsyncErasure  # noqa: PLC0415 (seldom needed)

        write = partial(self._write, overwrite=False)
        return AsyncErasure(
            self._retrying,
            self._keys,
            self._legacy,
            self._reader,
            self._writer,
            self._parts,
            self.delete,
            write,
        )

    @cached_property
    def history(self) -> AsyncSessionHistory[SessionT]:
        """The earlier versions of the sessions, in a bucket that keeps versions."""
        from sessionbucket._async.history import AsyncSessionHistory  # noqa: PLC0415 (seldom needed)

        write = partial(self._write, overwrite=False)
        return AsyncSessionHistory(
            self._retrying, self._keys, self._legacy, self._reader, self._erasure, write
        )

    def documents(self, name: str, *, integration: bool = False) -> AsyncDocumentStore:
        """The document store in the folder ``name`` of this store, for data of your own.

        With ``integration``, ``name`` must be the folder of one of this library's integrations, such as ``"langgraph"``.

        Raises ``InvalidArgumentError`` for a name that breaks a rule or belongs to the library.
        """
        return AsyncDocumentStore(
            self.bucket, name, prefix=self._keys.prefix, max_bytes=self._max_bytes, integration=integration
        )

    async def iter_integration(self, kind: str) -> AsyncGenerator[IntegrationInfo, None]:
        """Yield the threads, sessions or conversations of an integration, in the order of their keys, whatever their number.

        ``kind`` is one of ``INTEGRATION_FOLDERS``. The framework need not be installed. Sends a LIST for each 1,000 objects, one or two
        more in a folder of append logs, and one GET of 16 KiB for each item whose name is too long for a key. An item without its
        main document is left out.

        Raises ``InvalidArgumentError`` for another kind.
        """
        from sessionbucket._async.integration_listing import list_items  # noqa: PLC0415 (seldom needed)
        from sessionbucket._core.integration_folders import folder_of  # noqa: PLC0415 (seldom needed)

        check_text("kind", kind)
        folder = folder_of(kind)
        async with closing(list_items(self.documents(kind, integration=True), folder)) as items:
            async for item in items:
                yield item

    async def integration_page(
        self, kind: str, *, limit: int = 100, cursor: str | None = None
    ) -> IntegrationPage:
        """Return at most ``limit`` items of an integration, from ``cursor`` on, which is the ``next_cursor`` of the page before.

        The items and their order are those of ``iter_integration``. The listing begins where the page before ended. It sends a LIST for
        each 1,000 objects of the page, one or two more in a folder of append logs (one for each project or user on the page), and one
        GET of 16 KiB for each item whose name is too long for a key. A page ends early after the item with its 10,000th object.
        Raises ``InvalidArgumentError`` for another kind, and a bad cursor or limit.
        """
        from sessionbucket._async.integration_listing import list_item_page  # noqa: PLC0415 (seldom needed)
        from sessionbucket._core.integration_folders import folder_of  # noqa: PLC0415 (seldom needed)

        check_text("kind", kind)
        return await list_item_page(self.documents(kind, integration=True), folder_of(kind), limit, cursor)

    @property
    def backend_name(self) -> str:
        return self.bucket.name

    @property
    def location(self) -> str:
        return self._keys.location(self.bucket.location)

    @property
    def prefix(self) -> str:
        """The prefix of the store in its bucket, without slashes at its ends: another store over the same ``bucket`` needs it."""
        return self._keys.prefix

    async def save(
        self,
        session: SessionT,
        *,
        overwrite: bool = False,
        if_version: str | None = None,
        lease: AsyncLease | None = None,
    ) -> None:
        """Save the session in one conditional PUT: readers see the old one or the new one, whole.

        A session that came from this store replaces exactly the version it was loaded or last saved as. Any other session
        is new and replaces nothing. Otherwise ``SessionConflictError`` is raised and nothing is changed.
        ``overwrite=True`` replaces any version, and ``if_version`` this one: a version that ``version_of`` returned, maybe to
        another process. It costs a HEAD when the session was not loaded in this version. With ``lease``, the save sends no request
        once the lease is lost, and raises ``LeaseLostError``.

        Raises ``InvalidArgumentError`` for a session that cannot be written (it names the field), and
        ``SessionTooLargeError``; nothing was written then.
        """
        self._check_session(session)
        _check_lease_of(session, lease)
        body = self._codec.encode(session, key=self._keys.of_session(session.id).session)
        if if_version is not None:
            check_header_text("if_version", if_version)
            if overwrite:
                raise InvalidArgumentError(
                    "overwrite and if_version contradict each other; nothing was written"
                )
            if if_version != self.version_of(session):
                found = await self._writer.find_version(session.id, if_version)
                loaded = recall(session)
                remember(session, found._replace(dropped=loaded.dropped) if loaded else found)
        await self._write(session, body, overwrite=overwrite, lease=lease)

    def version_of(self, session: SessionT) -> str | None:
        """Return the version of this store's object that the session was loaded or last saved as; None for any other session.

        It is the object's ETag with its quotes, and fits the headers ``ETag`` and ``If-Match`` of HTTP. Sends no request.
        """
        self._check_session(session)
        seen = self._writer.seen(session.id, recall(session))
        return (seen.version or None) if seen else None

    def _check_session(self, session: object) -> None:
        if not isinstance(session, self._model):
            raise InvalidArgumentError(
                f"the session is refused: it is a {type(session).__name__} and must be a {self._model.__name__}; nothing was written"
            )

    def _check_members(self, session: SessionT) -> None:
        """Raises ``InvalidArgumentError`` when a save would drop members of the object that the session was loaded from."""
        stored = recall(session)
        if stored is not None and stored.dropped and not self._drop_unknown_members:
            raise InvalidArgumentError(
                f"session {shorten(session.id)} cannot be saved: model {type(session).__name__} ignores members of the object that it was "
                f"loaded from: {shorten_list(stored.dropped)}; load it with a model that has them, or open the store with "
                "drop_unknown_members=True; nothing was written"
            )

    async def _write(
        self, session: SessionT, body: bytes, *, overwrite: bool, lease: AsyncLease | None = None
    ) -> None:
        """Write the body of the session, and remember its version, or that the write may have been done."""
        self._check_members(session)
        self._warn_of_size(session.id, len(body))
        stored = recall(session)
        seen = self._writer.seen(session.id, stored)
        pending = [*seen.pending] if seen else []
        try:
            written = await self._writer.write(
                session.id,
                body,
                stored,
                pending,
                overwrite=overwrite,
                summary=self._summary_entries.of_session(session),
                check=lease.check if lease else None,
            )
        except BaseException:  # a cancellation or Ctrl-C included
            if pending:
                key = self._keys.of_session(session.id).session
                remember(
                    session,
                    (seen or StoredVersion(self.bucket.location, key))._replace(pending=tuple(pending)),
                )
            raise
        remember(session, written)

    def _warn_of_size(self, id: str, size: int) -> None:
        """Warn of the first large session of this store: every save sends the whole of it."""
        if size > _LARGE and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "%s: session %s has %.1f MB, and every save sends all of it; keep large outputs in files (put_file), "
                "a growing history in an AppendLog, or compact the messages (docs/saving.md)",
                self.location,
                shorten(id),
                size / 1e6,
            )

    async def load(self, id: str) -> SessionT | None:
        """Load the session by one GET. Returns None when it does not exist.

        Raises ``SessionCorruptedError`` for an object that is no session or another one, and
        ``SessionTooLargeError`` for one above ``max_bytes``; the object is left unchanged.
        """
        found = await self._reader.find(id)
        return None if found is None else self._reader.decode(id, found)

    async def _update_once(
        self,
        id: str,
        change: Callable[[SessionT], SessionT | Awaitable[SessionT | None] | None],
        create: Callable[[], SessionT] | None,
    ) -> SessionT:
        found = await self._reader.find(id)
        if found is not None:
            session = self._reader.decode(id, found)
            dropped = cast("StoredVersion", recall(session)).dropped
            is_text_of_model = is_printed(found) and not dropped
            before = found.body if is_text_of_model else self._codec.encode(session, key=found.info.key)
        elif create is not None:
            session, before = checked_session(create(), self._model, id, "create"), b""
        else:
            raise SessionNotFoundError(id, self.location)
        session = await self._changed(session, change)
        body = self._codec.encode(session, key=self._keys.of_session(id).session)
        if body != before:
            await self._write(session, body, overwrite=False)
        return session

    async def exists(self, id: str) -> bool:
        """Return whether the session exists, by one HEAD."""
        if await self._retrying.exists(self._keys.of_session(id).session):
            return True
        return await self._legacy.find(id) is not None or await self._v1.exists(id)

    async def delete(self, id: str) -> None:
        """Delete the session and all its parts. A missing session counts as deleted.

        A versioned bucket keeps all versions of what is deleted; ``purge`` erases them, too. The parts are deleted first and the session object last. So ``exists`` still shows a session whose delete was interrupted, and
        the delete can be repeated. Raises ``DeleteIncompleteError`` with the remaining keys.
        """
        await self._v1.check_deletable(id)
        keys = await self._legacy.current_keys(id)
        await self._legacy.check_key_is_free_for(id, keys.session)
        await self._parts.delete(id, keys)
        await self._writer.delete(keys)

    async def fork(
        self, id: str, new_id: str, *, messages: int | None = None, version: str | None = None
    ) -> SessionT:
        """Save a copy of the session as a new session, and return it. It works in every bucket.

        ``messages`` is how many messages the copy keeps; by default all. ``version`` is the id of an earlier version to copy, from
        ``history.versions``. The copy has the old id as its ``parent_id``, where the model has that field. Artifacts, trace events,
        verification reports and files are copied first, as they are now, and the session last. An interrupted fork can be
        repeated.

        Raises ``SessionNotFoundError``, and ``VersionNotFoundError`` for a missing version. Raises ``SessionConflictError`` when
        the new session exists, and ``InvalidArgumentError`` for a cut between a tool call and its result; nothing was written then.
        """
        from sessionbucket._async.fork import AsyncFork  # noqa: PLC0415 (seldom needed)

        if messages is not None:
            check_integer("messages", messages, 0)
        self._keys.of_session(new_id)
        await self._v1.check_writable()
        found = await self._reader.find(id)
        if version is not None:
            session = await self.history.load(id, version)
        elif found is None:
            raise SessionNotFoundError(id, self.location)
        else:
            session = self._reader.decode(id, found)
        self._check_members(session)
        fork = AsyncFork[SessionT](self._retrying, self._keys, self.raw, self._writer, self.save)
        return await fork.fork(session, found, id, new_id, messages)

    async def purge(
        self, id: str, *, bypass_governance: bool = False, dry_run: bool = False
    ) -> ErasureReport:
        """Delete the session and all that is its for good: every version, its parts, files, unfinished uploads and bookkeeping.

        ``bypass_governance`` also erases versions under an object lock in governance mode, for credentials that may do that.
        ``dry_run`` changes nothing, and reports what would be erased. What another writer creates meanwhile stays, and is reported.
        An interrupted purge can be repeated. In a versioned bucket the credentials need the permissions of the role *eraser*.

        Raises ``EraseIncompleteError`` with the report when some versions remain, such as those under an object lock. Raises
        ``NotSupportedError`` where the engine cannot list versions (obstore); nothing was changed then. When the outcome of the
        delete is unknown, nothing was erased.
        """
        return await self._erasure.purge(id, bypass_governance=bypass_governance, dry_run=dry_run)

    async def redact(
        self,
        id: str,
        change: Callable[[str], str],
        *,
        files: FilesToRedact = "refuse",
        bypass_governance: bool = False,
        dry_run: bool = False,
    ) -> ErasureReport:
        """Change every string of the session and its JSON parts, and erase all versions that are older than the change.

        ``change`` gets each string that is a value, and returns it or another: ``lambda text: text.replace(token, "[redacted]")``.
        It may run several times, and not on the names of members. It must not change the id. A change that changes nothing writes
        nothing, and old versions are erased all the same. ``files`` says what to do with the session's files, which are not
        changed: ``"refuse"`` while there are any, ``"keep"`` or ``"delete"`` them. ``bypass_governance`` and ``dry_run`` are those
        of ``purge``.

        A caller who has loaded the session before cannot save it over the redacted one, except with ``overwrite=True``. Raises
        ``SessionNotFoundError``, ``InvalidArgumentError`` for a bad change, and the errors of ``purge``. When the outcome of the save
        is unknown, nothing was erased. An interrupted redaction can be repeated.
        """
        return await self._erasure.redact(
            id, change, files=files, bypass_governance=bypass_governance, dry_run=dry_run
        )

    async def list(self) -> Ids:
        """Return the ids of all sessions, sorted by key; one request for every thousand, and no body is read."""
        return await self._listing.ids()

    async def list_page(
        self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None
    ) -> SessionPage:
        """Return at most ``limit`` sessions whose ids start with ``prefix``, sorted by key, from ``cursor`` on.

        A page of fewer than 1,000 sessions is full unless it is the last. A page of 1,000 may have a few less, since
        the folders of the parts take rows of its one request. Raises ``InvalidArgumentError`` for a bad cursor or
        limit.
        """
        return await self._listing.page(prefix, limit, cursor)

    def iter_sessions(self, *, prefix: str = "", concurrency: int = 1) -> AsyncGenerator[SessionInfo, None]:
        """Yield all sessions whose ids start with ``prefix``, sorted by key, page by page; no body is read.

        From the second page on, the next page is requested while the caller uses one.

        With a ``concurrency`` above 1, that many requests list ranges of keys in parallel, predicted from the ids on
        earlier pages. The results and their order are the same. It takes a few requests more, and the memory of ten pages
        for each parallel request. One page or less still takes one request.

        Raises ``InvalidArgumentError`` for a ``concurrency`` below 1.
        """
        check_concurrency(concurrency)
        return self._listing.iterate(prefix, concurrency)

    async def summary(self, id: str) -> SessionSummary | None:
        """Return the title, owner, cost and other facts of a session, by one HEAD. Returns None when it does not exist.

        A session without a summary in its metadata, and any in a folder, is read. Raises the errors of ``load``, and
        ``InvalidArgumentError`` for a store of your own model without ``summarize``.
        """
        return await self._summaries.find(id)

    def summaries(
        self, *, prefix: str = "", where: Callable[[SessionSummary], object] | None = None
    ) -> AsyncGenerator[SessionSummary, None]:
        """Yield the summaries of all sessions whose ids start with ``prefix`` and that ``where`` accepts, sorted by key.

        A session under its legacy name has its true id. A session that cannot be read has a ``problem``. The store keeps a catalog of
        the summaries. So this costs the requests of ``iter_sessions``, 1 for every 20,000 sessions, and 1 for each session that was
        saved since the last call. The catalog may be deleted at any time.

        Raises ``InvalidArgumentError`` for a store of your own model without ``summarize``.
        """
        check_where(where)
        return self._summaries.iterate(prefix, where)

    async def summary_page(
        self,
        *,
        prefix: str = "",
        limit: int = 100,
        cursor: str | None = None,
        where: Callable[[SessionSummary], object] | None = None,
    ) -> SummaryPage:
        """Return at most ``limit`` summaries, from ``cursor`` on. The arguments are those of ``list_page`` and ``summaries``.

        With ``where``, the page is full unless it is the last, and the listing goes on until it is. A page of at most 32 sessions
        costs a HEAD for each. Sessions that are deleted meanwhile are left out. Raises ``InvalidArgumentError`` for a bad cursor or
        limit, and for a store of your own model without ``summarize``.
        """
        check_where(where)
        return await self._summaries.page(prefix, limit, cursor, where)

    def lease(
        self,
        id: str,
        *,
        ttl: timedelta = timedelta(minutes=1),
        wait: timedelta = timedelta(0),
        owner: str | None = None,
    ) -> AsyncLease:
        """Return the lease of a session, which a ``with`` block acquires and releases: one worker at a time asks the model.

        It is held for ``ttl``, and ``renew`` prolongs it. The block waits for ``wait`` while another worker holds it, then raises
        ``LeaseHeldError``. ``owner`` names this worker in that error; by default host and process. Sends no request before the block.

        Correctness stays with the conditions of saves: a lease saves the cost of work that a conflict would waste. The session
        need not exist. Raises ``InvalidArgumentError`` for a bad id or time.
        """
        from sessionbucket._async.lease import AsyncLease  # noqa: PLC0415 (seldom needed)

        return AsyncLease(
            self._retrying,
            self._keys,
            self._conditional,
            self._support,
            id,
            ttl,
            wait,
            owner,
        )

    def load_many(self, ids: Items[str], *, concurrency: int = 16) -> AsyncGenerator[Loaded[SessionT], None]:
        return super().load_many(ids, concurrency=concurrency)

    async def save_artifacts(self, id: str, artifacts: ArtifactStore) -> None:
        await self._parts.save_artifacts(id, artifacts)

    async def load_artifacts(self, id: str) -> ArtifactStore | None:
        return await self._parts.load_artifacts(id)

    async def put_file(
        self, id: str, name: str, data: FileSource, *, content_type: str | None = None
    ) -> None:
        """Store a file of the session, in place of one with that name; readers see the old file or the new one, whole.

        ``data`` is bytes, a path, a binary file object, or an iterator of bytes; only a few MiB of it are in memory
        at a time. Without a ``content_type``, it is guessed from the name. When ``data`` raises, the old file stays.
        """
        await self._files.put(id, name, data, content_type)

    async def open_file(self, id: str, name: str) -> AsyncFileReader:
        """Open a file of the session for reading. Raises ``FileNotInStoreError`` when it does not exist."""
        return await self._files.open(id, name)

    async def list_files(self, id: str) -> Files:
        return await self._files.list(id)

    async def delete_file(self, id: str, name: str) -> None:
        await self._files.delete(id, name)

    async def presign_file(self, id: str, name: str, expires_in: timedelta) -> str:
        """Return a presigned URL of a file, from which anyone can GET it until the URL expires.

        ``expires_in`` is 1 second to 7 days from this call; a fraction of a second is cut off. A URL signed with
        temporary credentials (of a Lambda, or of any role) ends with them, even if ``expires_in`` is longer. The response has the
        file's content type, and makes a browser save the file under its name instead of showing it. With the
        engine obstore, which cannot sign that, the browser may show it.

        Signing sends no request, so the file need not exist yet; until then the URL returns 404. Treat
        the URL as a secret. Raises ``InvalidArgumentError`` for a bad name or time, and ``NotSupportedError`` for a
        bucket without presigned URLs, such as a folder.
        """
        return await self._files.presign(id, name, expires_in)

    async def save_trace_events(self, id: str, events: Sequence[TraceEvent]) -> None:
        await self._parts.save_trace_events(id, events)

    async def append_trace_events(self, id: str, events: Sequence[TraceEvent], *, attempts: int = 10) -> None:
        """Add trace events to those saved before. Events of other writers at the same time are kept.

        Raises ``SessionConflictError`` after ``attempts`` conflicts; nothing was written then.
        """
        await self._parts.append_trace_events(id, events, attempts)

    async def load_trace_events(self, id: str) -> TraceEvents | None:
        return await self._parts.load_trace_events(id)

    async def save_verification_reports(self, id: str, reports: Sequence[VerificationReport]) -> None:
        await self._parts.save_verification_reports(id, reports)

    async def load_verification_reports(self, id: str) -> VerificationReports | None:
        return await self._parts.load_verification_reports(id)

    async def save_turn(
        self,
        session: SessionT,
        *,
        artifacts: ArtifactStore | None = None,
        trace_events: Sequence[TraceEvent] | None = None,
        verification_reports: Sequence[VerificationReport] | None = None,
        overwrite: bool = False,
        lease: AsyncLease | None = None,
    ) -> None:
        """Save a whole turn: the parts first, concurrently, and the session last.

        So a session never refers to a part that does not exist. When another writer has saved the session, this raises before it
        writes the parts. Only when the other save happens during this call can the parts be of this turn and the session of
        the other. ``lease`` is that of ``save``.
        """
        self._check_session(session)
        _check_lease_of(session, lease)
        self._check_members(session)
        body = self._codec.encode(session, key=self._keys.of_session(session.id).session)
        parts = await self._parts.encoded(
            session.id, artifacts=artifacts, events=trace_events, reports=verification_reports
        )
        await self._writer.check_not_stale(session.id, recall(session), overwrite=overwrite)
        _check_lease_of(session, lease)
        await self._parts.put(parts)
        await self._write(session, body, overwrite=overwrite, lease=lease)

    async def probe_conditional_writes(self) -> ProbeResult:
        """Find out how the server supports conditional writes. Any server but AWS is probed once in this process."""
        return await self._support.result()

    async def check(
        self, *, on_session: Callable[[StoredObject], object] | None = None
    ) -> AsyncGenerator[Finding, None]:
        """Read every session and list every other object of the store; yield each problem. Changes nothing.

        ``on_session`` is called with the object of each session, valid or not. A sync store calls it from several threads.
        """
        if on_session is not None:
            check_function("on_session", on_session)
        async for finding in self._check.findings(on_session):
            yield finding

    async def repair(self, findings: Sequence[Finding]) -> Findings:
        """Delete the findings of ``check`` that are ``removable``, and return them. All others stay unchanged.

        A sealed segment that its log names by now stays, too.
        """
        from sessionbucket._core.findings import Finding  # noqa: PLC0415 (seldom needed)

        check_items("findings", findings)
        for finding in findings:
            check_kind("each of findings", finding, Finding)
        return await self._check.repair(findings)

    @property
    def _check(self) -> AsyncStoreCheck:
        from sessionbucket._async.store_check import AsyncStoreCheck  # noqa: PLC0415 (seldom needed)

        return AsyncStoreCheck(
            self._retrying,
            self._keys,
            self._v1,
            self._reader,
            self._parts,
            partial(self.documents, integration=True),
        )

    async def health_check(self) -> None:
        """List, write, read and delete under the prefix, and clean up.

        Raises the error of the step that failed, and names the step.
        """
        from sessionbucket._async.store_check import check_health  # noqa: PLC0415 (seldom needed)

        await check_health(self._retrying, self._keys)
        await self._support.is_conditional()

    async def close(self) -> None:
        await self.bucket.close()


def _check_lease_of(session: Any, lease: object) -> None:
    """Raises ``LeaseLostError`` for a lost lease, and ``InvalidArgumentError`` for the lease of another session."""
    if lease is None:
        return
    from sessionbucket._async.lease import AsyncLease  # noqa: PLC0415 (seldom needed)

    check_kind("lease", lease, AsyncLease)
    held = cast("AsyncLease", lease)
    if held.id != session.id:
        raise InvalidArgumentError(
            f"the lease is refused: it is that of session {shorten(held.id)}, not of {shorten(session.id)}; nothing was written"
        )
    held.check()


def default_model() -> Any:
    """``SessionData``, which is loaded only where it is used."""
    from sessionbucket.models.session import SessionData  # noqa: PLC0415 (loads pydantic)

    return SessionData


def check_model(model: Any) -> None:
    """Raises ``InvalidArgumentError`` for anything but ``Conversation`` and pydantic models with an ``id: str``."""
    if isinstance(model, type) and issubclass(model, Conversation):
        return
    from pydantic import BaseModel  # noqa: PLC0415 (a store of conversations does not load it)

    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    field = model.model_fields.get("id") if is_model else None
    if field is None or not _is_text(field.annotation):
        name = getattr(model, "__name__", None) or repr(model)
        raise InvalidArgumentError(f"model {name} is refused: it must be a pydantic model with an `id: str`")


def _is_text(kind: Any) -> bool:
    """Whether every value of an annotated type is a string."""
    if isinstance(kind, type):
        return issubclass(kind, str)
    if isinstance(kind, NewType):
        return _is_text(kind.__supertype__)
    if isinstance(kind, TypeVar):
        return _is_text(kind.__bound__)
    if get_origin(kind) is Literal:
        return all(isinstance(value, str) for value in get_args(kind))
    if hasattr(kind, "__value__"):  # an alias of `type`
        return _is_text(kind.__value__)
    choices = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind)
    return bool(choices) and all(map(_is_text, choices))
