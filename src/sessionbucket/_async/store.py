"""The session store over any bucket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, cast, overload

from sessionbucket._async.base_store import (
    AsyncBaseSessionStore,
    Files,
    Ids,
    Loaded,
    SessionT,
)
from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.file_reader import AsyncFileReader
from sessionbucket._async.legacy_names import AsyncReferenceNames
from sessionbucket._async.raw_sessions import AsyncSessionBodies
from sessionbucket._async.session_files import AsyncSessionFiles
from sessionbucket._async.session_listing import AsyncSessionListing
from sessionbucket._async.session_parts import AsyncSessionParts
from sessionbucket._async.session_writer import AsyncSessionWriter
from sessionbucket._async.trust import AsyncTrust
from sessionbucket._async.wrappers.retrying import AsyncSteadyBucket
from sessionbucket._codec import DEFAULT_MAX_BYTES, Codec
from sessionbucket._concurrency.asyncio_ import FileSource, Items
from sessionbucket._core import body_checksum as seal
from sessionbucket._core.keys import Layout
from sessionbucket._core.objects import StoredObject
from sessionbucket._core.pagination import SessionInfo, SessionPage, check_concurrency
from sessionbucket._core.results import ProbeResult
from sessionbucket._core.session_version import StoredVersion, hand_over, recall, remember
from sessionbucket._core.write_ids import chain_of
from sessionbucket.errors import InvalidArgumentError, SessionCorruptedError, shorten
from sessionbucket.models.session import SessionData

if TYPE_CHECKING:
    from sessionbucket._async.base_store import TraceEvents, VerificationReports
    from sessionbucket._async.store_check import AsyncStoreCheck
    from sessionbucket._core.findings import Finding
    from sessionbucket.models import ArtifactStore, TraceEvent, VerificationReport

    Findings = list[Finding]  # inside the class ``list`` is the method


class AsyncSessionStore(AsyncBaseSessionStore[SessionT]):
    """Sessions and their parts in a bucket, under one prefix, as ``layout`` lays them out.

    Open one with ``open_async_store``, or around a bucket of one's own. One store serves any number of tasks; keep it
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
    ) -> None: ...

    @overload
    def __init__(
        self,
        bucket: AsyncBucket,
        prefix: str = "",
        *,
        model: type[SessionT],
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None: ...

    def __init__(
        self,
        bucket: AsyncBucket,
        prefix: str = "",
        *,
        model: type[SessionT] | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        """``model`` is any pydantic model with an ``id: str``. ``max_bytes`` is the most a session or a part may have.

        Raises ``InvalidArgumentError`` for a bad prefix or a model without an id.
        """
        chosen = cast("type[SessionT]", SessionData) if model is None else model
        if "id" not in getattr(chosen, "model_fields", {}):
            raise InvalidArgumentError(
                f"model {chosen.__name__} is refused: it must be a pydantic model with an `id: str`"
            )
        self.bucket = bucket
        self._layout = Layout(prefix)
        self._max_bytes = max_bytes
        self._codec = Codec[SessionT](chosen, max_bytes=max_bytes)
        self._bucket = AsyncSteadyBucket(bucket)
        self._trust = AsyncTrust(self._bucket, self._layout)
        self._reference = AsyncReferenceNames(self._bucket, self._layout, max_bytes)
        self._writer = AsyncSessionWriter(self._bucket, self._reference, self._trust)
        self._parts = AsyncSessionParts(self._bucket, self._layout, self._reference, self._trust, max_bytes)
        self._files = AsyncSessionFiles(self._bucket, self._layout)
        self._listing = AsyncSessionListing(self._bucket, self._layout)
        self.bodies = AsyncSessionBodies(
            self._bucket,
            self._layout,
            reference=self._reference,
            writer=self._writer,
            max_bytes=max_bytes,
            decode=self._decode,
        )

    @property
    def backend_name(self) -> str:
        return self.bucket.name

    @property
    def location(self) -> str:
        return f"{self.bucket.location}/{self._layout.prefix}".rstrip("/")

    async def save(self, session: SessionT, *, overwrite: bool = False) -> None:
        """Save the session in one conditional PUT: readers see the old one or the new one, whole.

        A session that came from this store replaces exactly the version it was loaded or last saved as; any other
        is new and replaces nothing. Otherwise ``SessionConflictError`` is raised and nothing is changed.
        ``overwrite=True`` replaces whatever is there.

        Raises ``InvalidArgumentError`` for a session that cannot be written (it names the field), and
        ``SessionTooLargeError``; nothing was written then.
        """
        keys = self._layout.keys(session.id)
        body = self._codec.encode(session, key=keys.session)
        stored = recall(session, self.bucket.location)
        remember(session, await self._writer.write(session.id, keys, body, stored, overwrite=overwrite))

    async def load(self, id: str) -> SessionT | None:
        """The session in one GET, or None where there is none.

        Raises ``SessionCorruptedError`` for an object that is no session or another one, and
        ``SessionTooLargeError`` for one above ``max_bytes``; the object is left as it is.
        """
        found = await self.bodies.find(id)
        return None if found is None else self._decode(id, found)

    def _decode(self, id: str, found: StoredObject) -> SessionT:
        session = self._codec.decode(found.body, key=found.info.key, is_printed=seal.is_sealed(found))
        if session.id != id:
            raise SessionCorruptedError(
                found.info.key,
                f"the id inside is {shorten(session.id)}, not the {shorten(id)} that was asked for",
            )
        remember(
            session,
            StoredVersion(
                self.bucket.location, found.info.key, found.info.version or "", chain_of(found.info)
            ),
        )
        return session

    def _hand_over(self, old: SessionT, new: SessionT) -> None:
        hand_over(old, new, self.bucket.location)

    async def exists(self, id: str) -> bool:
        """Whether the session is there, in one HEAD."""
        if await self._bucket.head(self._layout.keys(id).session):
            return True
        return await self._reference.find(id) is not None

    async def delete(self, id: str) -> None:
        """Delete the session and all its parts; deleting what is not there is fine.

        The parts go first and the session object last, so a delete that was cut off is seen by ``exists`` and can
        be repeated. Raises ``DeleteIncompleteError`` with the keys that are left.
        """
        keys = self._layout.keys(id)
        reference = await self._reference.find(id)
        await self._reference.refuse_anothers(id, keys.session)
        await self._parts.delete(keys)
        await self._bucket.delete([keys.session])
        if reference:
            await self._reference.remove(reference[0])

    async def list(self) -> Ids:
        """The ids of all sessions, sorted by key; one request for every thousand, and no body is read."""
        return await self._listing.ids()

    async def list_page(
        self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None
    ) -> SessionPage:
        """At most ``limit`` sessions whose ids start with ``prefix``, sorted by key, from ``cursor`` on.

        A page of fewer than 1,000 sessions is full unless it is the last; one of 1,000 may have a few less, since
        the folders of the parts take rows of the one request. Raises ``InvalidArgumentError`` for a bad cursor or
        limit.
        """
        return await self._listing.page(prefix, limit, cursor)

    def iter_sessions(self, *, prefix: str = "", concurrency: int = 1) -> AsyncGenerator[SessionInfo, None]:
        """All sessions whose ids start with ``prefix``, sorted by key, page by page; no body is read.

        With a ``concurrency`` above 1 so many requests at once list the keys in ranges, which are found from how the
        ids lie on the pages before; what is given and its order are the same. It takes few requests more, and ten pages
        of memory for each of them. What is a page or less is one request as ever.

        Raises ``InvalidArgumentError`` for a ``concurrency`` below 1.
        """
        check_concurrency(concurrency)
        return self._listing.iterate(prefix, concurrency)

    def load_many(self, ids: Items[str], *, concurrency: int = 16) -> AsyncGenerator[Loaded[SessionT], None]:
        return super().load_many(ids, concurrency=concurrency)

    async def save_artifacts(self, id: str, artifacts: ArtifactStore) -> None:
        await self._parts.save_artifacts(id, artifacts)

    async def load_artifacts(self, id: str) -> ArtifactStore | None:
        return await self._parts.load_artifacts(id)

    async def put_file(
        self, id: str, name: str, data: FileSource, *, content_type: str | None = None
    ) -> None:
        """Put a large or binary artifact, replacing one of that name; readers see the old one or the new one, whole.

        ``data`` is bytes, a path, a binary file object, or an iterator of bytes; only a few MiB of it are in memory
        at a time. Without a ``content_type`` the name tells it. When ``data`` raises, the old artifact stays.
        """
        await self._files.put(id, name, data, content_type)

    async def open_file(self, id: str, name: str) -> AsyncFileReader:
        """Open a large artifact for reading. Raises ``FileNotInStoreError`` where there is none of that name."""
        return await self._files.open(id, name)

    async def list_files(self, id: str) -> Files:
        return await self._files.list(id)

    async def delete_file(self, id: str, name: str) -> None:
        await self._files.delete(id, name)

    async def presign_file(self, id: str, name: str, expires_in: timedelta) -> str:
        """A link that gives a large artifact to whoever has it, by a plain GET, until it expires.

        ``expires_in`` is of 1 second to 7 days, counted from this call; a fraction of a second is cut. A link signed with
        temporary credentials (a Lambda's, any role's) ends with them, however long it was to last. The answer has the
        artifact's content type, and tells a browser to save it under its own name rather than show it (but not with the
        engine obstore, which cannot sign that).

        Signing makes no request, so the artifact need not exist yet; a link to one that does not is answered 404. Treat
        the link as a secret. Raises ``InvalidArgumentError`` for a bad name or time, and ``NotSupportedError`` where the
        bucket signs no links, as a folder.
        """
        return await self._files.presign(id, name, expires_in)

    async def save_trace_events(self, id: str, events: Sequence[TraceEvent]) -> None:
        await self._parts.save_trace_events(id, events)

    async def append_trace_events(self, id: str, events: Sequence[TraceEvent], *, attempts: int = 10) -> None:
        """Add trace events to those saved before; when others append at the same time, each event is kept.

        Raises ``SessionConflictError`` when ``attempts`` tries have met a conflict; nothing was written then.
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
    ) -> None:
        """Save a whole turn: the parts first, at the same time, and the session last.

        A session so never names what is not there. A save that someone else was ahead of is refused before the parts
        are touched; only where the two meet within this call may the parts be this turn's and the session the other's.
        """
        stored = recall(session, self.bucket.location)
        await self._writer.refuse_stale(
            session.id, self._layout.keys(session.id), stored, overwrite=overwrite
        )
        await super().save_turn(
            session,
            artifacts=artifacts,
            trace_events=trace_events,
            verification_reports=verification_reports,
            overwrite=overwrite,
        )

    async def conditional_writes(self) -> ProbeResult:
        """What the bucket makes of conditional saves. A server other than AWS is probed once in this process."""
        return await self._trust.capability()

    async def check(self) -> AsyncGenerator[Finding, None]:
        """Look through the whole store, reading every session, for what is not as it should be. Changes nothing."""
        async for finding in self._check().findings():
            yield finding

    async def repair(self, findings: Sequence[Finding]) -> Findings:
        """Remove, of the findings of ``check``, those that are safe to remove; gives those. The rest stays as it is."""
        return await self._check().repair(findings)

    def _check(self) -> AsyncStoreCheck:
        from sessionbucket._async.store_check import AsyncStoreCheck  # noqa: PLC0415 (seldom needed)

        return AsyncStoreCheck(self._bucket, self._layout, self._max_bytes, self._decode)

    async def health_check(self) -> None:
        """Prove that the prefix can be listed, written, read and deleted, and clean up.

        Raises the error of the step that failed, which it names.
        """
        from sessionbucket._async.health import check_health  # noqa: PLC0415 (seldom needed)

        await check_health(self._bucket, self._layout)
        await self._trust.conditional()

    async def close(self) -> None:
        await self.bucket.close()
