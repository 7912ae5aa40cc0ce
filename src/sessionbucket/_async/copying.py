"""Copying sessions with all their parts, and whole stores, from one to another, without replacing anything that differs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from sessionbucket._async.base_store import SessionT
from sessionbucket._async.document_copying import AsyncDocumentCopier
from sessionbucket._async.session_files import AsyncFileReader
from sessionbucket._async.store import AsyncSessionStore
from sessionbucket._async.v1_snapshots import SnapshotSession
from sessionbucket._concurrency.asyncio_ import WorkerPool, closing, gather
from sessionbucket._core.arguments import check_items, check_kind, check_text
from sessionbucket._core.file_sources import CHUNK
from sessionbucket._core.integration_folders import FOLDERS
from sessionbucket._core.inventory import FILES, JSON_PARTS, OPAQUE_PARTS, Inventory
from sessionbucket._core.objects import StoredObject, is_md5_version, is_multipart_md5_version
from sessionbucket._core.pagination import check_concurrency
from sessionbucket._core.results import CopyOutcome, CopyResult, FileInfo
from sessionbucket.errors import (
    BucketNotFoundError,
    ConditionalWritesUnsupportedError,
    InvalidArgumentError,
    SessionBucketError,
    SessionConflictError,
    SessionCorruptedError,
    SessionTooLargeError,
    StoreUnavailableError,
    shorten,
)

if TYPE_CHECKING:
    from sessionbucket._concurrency.asyncio_ import PendingCall

Call = partial[Any]

_STORE_ERRORS = (StoreUnavailableError, BucketNotFoundError, ConditionalWritesUnsupportedError)
"""Errors that the next session would meet, too."""


async def copy_async_sessions(
    source: AsyncSessionStore[SessionT],
    destination: AsyncSessionStore[SessionT],
    ids: Iterable[str] | None = None,
    *,
    prefix: str = "",
    overwrite: bool = False,
    concurrency: int = 16,
) -> AsyncGenerator[CopyResult, None]:
    """Copy sessions with all their parts and files, byte for byte.

    The parts include those that later releases of a3s-code write. A session from a snapshot of a3s-code gets the objects that it
    would have in this layout; its empty parts get none. A copy of a whole store includes the checkpoints of runs and workflows, and
    the documents of all integrations.

    Copies the sessions with these ``ids``, or all whose ids start with ``prefix``; ``concurrency`` sessions at a time. Yields the
    result of each, in order. A repeated copy skips what is equal. If anything of a session differs in the destination,
    everything of that session there is left unchanged, and the result is a conflict, unless ``overwrite`` is set. Nothing is
    deleted. After Ctrl-C, the results of the sessions whose copy was running follow, and then ``KeyboardInterrupt``. A session or part
    that is corrupted in the source is not copied, and its error does not stop the others.

    Raises ``StoreUnavailableError``, ``BucketNotFoundError`` and ``ConditionalWritesUnsupportedError`` at once, and
    ``InvalidArgumentError`` for two stores of one location and a ``concurrency`` below 1.
    """
    _check_stores(source, destination)
    check_concurrency(concurrency)
    chosen = None if ids is None else _distinct(ids)
    async with WorkerPool(concurrency) as part_pool, WorkerPool(concurrency) as pool:
        copier = _AsyncSessionCopier(source, destination, overwrite=overwrite, pool=part_pool)
        if chosen is None:
            chosen = await copier.list_sessions(prefix)
        running: deque[PendingCall[CopyResult]] = deque()
        checkpoints = [] if prefix or ids is not None else await source.raw.checkpoints()
        integrations = [] if prefix or ids is not None else copier.integrations()
        counts = await gather([each.count for each in integrations])
        total = len(chosen) + len(checkpoints) + sum(counts)
        calls = [
            *(partial(copier.copy_or_error, id, total) for id in chosen),
            *(partial(copier.copy_checkpoint_or_error, info.key, total) for info in checkpoints),
        ]
        try:
            async with closing(_all_calls(calls, integrations, total)) as all_calls:
                async for call in all_calls:
                    running.append(pool.start(call))
                    if len(running) == concurrency:
                        await pool.wait([running[0]])
                        yield running.popleft().result()
            while running:
                await pool.wait([running[0]])
                yield running.popleft().result()
        except KeyboardInterrupt:
            copier.stop()
            for copying in running:
                await pool.wait([copying])
                if not copying.cancelled() and copying.exception() is None:
                    yield copying.result()
            raise
        except BaseException:
            copier.stop()
            raise


async def _all_calls(
    calls: Iterable[Call], integrations: list[AsyncDocumentCopier], total: int
) -> AsyncGenerator[Call, None]:
    for call in calls:
        yield call
    for each in integrations:
        async with closing(each.copies(total)) as copies:
            async for call in copies:
                yield call


def _check_stores(source: object, destination: object) -> None:
    check_kind("source", source, AsyncSessionStore)
    check_kind("destination", destination, AsyncSessionStore)
    if cast("AsyncSessionStore", source).location == cast("AsyncSessionStore", destination).location:
        raise InvalidArgumentError("the source and the destination are the same store")


def _distinct(ids: Iterable[str]) -> list[str]:
    check_items("ids", ids)
    distinct: dict[str, None] = {}
    for id in ids:
        check_text("each of ids", id)
        distinct[id] = None
    return [*distinct]


_EMPTY_PARTS = (b"[]", b'{\n  "artifacts": []\n}')


class _CopyStoppedError(Exception):
    """The copy of a file was stopped. Nothing of it is in the destination."""


@dataclass(slots=True)
class _Plan:
    """What to write, and what of it would replace something else."""

    stem: str
    session: bool = False
    other: StoredObject | None = None
    is_new: bool = False
    parts: dict[str, bytes] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.session or self.parts or self.files)


class _AsyncSessionCopier:
    """Copies single sessions; several at a time.

    It compares everything of a session before it writes anything. It writes the parts before the session. It asks for nothing that the
    inventories show: a part that an unchanged session did not have when it was listed, the presence of an object that is
    written only if it is absent, and an object with the same MD5.
    """

    def __init__(
        self,
        source: AsyncSessionStore[SessionT],
        destination: AsyncSessionStore[SessionT],
        *,
        overwrite: bool,
        pool: WorkerPool,
    ) -> None:
        """``pool`` runs the requests for the parts of a session."""
        self._source: AsyncSessionStore[Any] = source
        self._destination: AsyncSessionStore[Any] = destination
        self._from = source.raw
        self._to = destination.raw
        self._overwrite = overwrite
        self._pool = pool
        self._source_inventory: Inventory | None = None
        self._destination_inventory: Inventory | None = None
        self._is_stopped = False
        capabilities = (source.bucket.capabilities, destination.bucket.capabilities)
        self._sizes_are_exact = all(each.lists_body_sizes for each in capabilities)

    async def list_sessions(self, prefix: str) -> list[str]:
        """List both stores, and return the ids in the source."""
        here, there = await gather(
            [partial(self._from.inventory, prefix), partial(self._to.inventory, prefix)]
        )
        self._source_inventory, self._destination_inventory = here, there
        return self._from.ids(here)

    def integrations(self) -> list[AsyncDocumentCopier]:
        """The copies of the documents of each integration that the source has."""
        present = self._source_inventory.folders if self._source_inventory else set()
        return [
            AsyncDocumentCopier(
                name,
                folder,
                self._source.documents(name, integration=True),
                self._destination.documents(name, integration=True),
                overwrite=self._overwrite,
                store_errors=_STORE_ERRORS,
            )
            for name, folder in FOLDERS.items()
            if name in present
        ]

    def stop(self) -> None:
        """End running copies of files."""
        self._is_stopped = True

    async def copy_or_error(self, id: str, total: int) -> CopyResult:
        """Copy one session. Errors of this session alone become its result."""
        try:
            outcome, detail = await self._copy_listed(id)
        except _STORE_ERRORS:
            raise
        except SessionBucketError as error:
            return CopyResult(id, "failed", str(error), total)
        return CopyResult(id, outcome, detail, total)

    async def copy_checkpoint_or_error(self, key: str, total: int) -> CopyResult:
        """Copy one checkpoint of a run or workflow. Errors of this checkpoint alone become its result."""
        try:
            outcome, detail = await self._copy_checkpoint(key)
        except _STORE_ERRORS:
            raise
        except SessionConflictError as error:
            detail = "another writer wrote it meanwhile"
            outcome = "failed" if error.outcome == "unknown" else "conflict"
        except SessionBucketError as error:
            outcome, detail = "failed", str(error)
        return CopyResult(key, outcome, detail, total, "checkpoint")

    async def _copy_checkpoint(self, key: str) -> tuple[CopyOutcome, str]:
        found, other = await gather(
            [partial(self._from.get_checkpoint, key), partial(self._to.get_checkpoint, key)]
        )
        if found is None:
            return "missing", ""
        if other is not None and other.body == found.body:
            return "same", ""
        if other is not None and not self._overwrite:
            return "conflict", "the checkpoint"
        await self._to.put_checkpoint(key, found.body, overwrite=self._overwrite)
        return "copied", ""

    async def _copy_listed(self, id: str) -> tuple[CopyOutcome, str]:
        """Copy a session by its id, or by the legacy name under which a listing shows it."""
        try:
            return await self._copy(id)
        except SessionCorruptedError:
            true_id = None if self._source_inventory is None else await self._from.true_id(id)
            if true_id is None:
                raise
        return await self._copy(true_id)

    async def _copy(self, id: str) -> tuple[CopyOutcome, str]:
        found = await self._from.get_valid(id)
        if found is None:
            return "missing", ""
        listed = self._destination_inventory if self._to.is_conditional else None
        outcome = await self._copy_found(id, found, listed)
        if outcome[0] == "conflict" and listed is not None:
            return await self._copy_found(
                id, found, None
            )  # something may have been written since the listing
        return outcome

    async def _copy_found(
        self, id: str, found: StoredObject, listed: Inventory | None
    ) -> tuple[CopyOutcome, str]:
        plan = _Plan(self._to.stem(id))
        await self._plan_session(plan, id, found, listed)
        await self._plan_parts(plan, id, found, listed)
        await self._plan_files(plan, id, found)
        if plan.differing and not self._overwrite:
            return "conflict", ", ".join(plan.differing)
        if plan.is_empty:
            return "same", ""
        try:
            await self._write(plan, id, found)
        except SessionConflictError as error:
            if error.outcome == "unknown":
                raise
            return "conflict", "another writer wrote it meanwhile"
        return "copied", ""

    async def _plan_session(
        self, plan: _Plan, id: str, found: StoredObject, listed: Inventory | None
    ) -> None:
        if listed is not None and self._to.is_new(id, listed):
            plan.session = plan.is_new = True
            return
        if listed is not None and listed.has_session(self._to.stem(id), found.info.version):
            return
        try:
            other = await self._to.get_valid(id)
        except (SessionCorruptedError, SessionTooLargeError):
            plan.differing.append("the session, which cannot be read there")
        else:
            if other is not None:
                plan.other, plan.stem = other, self._to.stem_of(other)
                if self._from.are_same(found, other):
                    return
                plan.differing.append("the session")
        plan.session = True

    async def _plan_parts(self, plan: _Plan, id: str, found: StoredObject, listed: Inventory | None) -> None:
        stem = self._from.stem_of(found)
        is_snapshot = isinstance(found, SnapshotSession)
        names = [name for name in JSON_PARTS if is_snapshot or not self._source_lacks(name, stem, found)]
        compared = await self._pool.gather(
            [partial(self._compare_part, name, plan, found, listed) for name in names]
        )
        for name, (body, exists) in zip(names, compared, strict=True):
            if body is not None:
                plan.parts[name] = body
                if exists:
                    plan.differing.append(name)

    async def _compare_part(
        self, name: str, plan: _Plan, session: StoredObject, listed: Inventory | None
    ) -> tuple[bytes | None, bool]:
        """The body to write, if any, and whether the destination has another."""
        # The stored bytes, because a load of artifacts leaves out those above its limits.
        found = await self._from.get_valid_part(name, session)
        if found is None or (isinstance(session, SnapshotSession) and found.body in _EMPTY_PARTS):
            return None, False
        if listed is not None and not isinstance(plan.other, SnapshotSession):
            if listed.lacks_part(name, plan.stem):
                return found.body, False
            if listed.has_part(name, plan.stem, found.info.version):
                return None, True
        try:
            other = await self._to.get_part(name, plan.other or plan.stem)
        except SessionTooLargeError:
            return found.body, True
        if other is None:
            return found.body, False
        is_same = found.body == other.body or (
            name not in OPAQUE_PARTS and _same_json(found.body, other.body)
        )
        return (None, True) if is_same else (found.body, True)

    async def _plan_files(self, plan: _Plan, id: str, found: StoredObject) -> None:
        if self._source_lacks(FILES, self._from.stem(id), found):
            return
        files = await self._source.list_files(id)
        if not files:
            return
        # Files are put unconditionally, so the destination is listed just before.
        others = {file.name: file for file in await self._destination.list_files(id)}
        same = await self._pool.gather(
            [partial(self._is_same_file, id, file, others.get(file.name)) for file in files]
        )
        for file, is_same in zip(files, same, strict=True):
            if not is_same:
                plan.files.append(file.name)
                if file.name in others:
                    plan.differing.append(f"file {shorten(file.name)}")

    def _source_lacks(self, name: str, stem: str, session: StoredObject) -> bool:
        """Whether the session has no such part. A session that was changed since its listing may have got one."""
        listed = self._source_inventory
        return (
            listed is not None
            and listed.is_unchanged(self._from.stem_of(session), session.info)
            and listed.lacks_part(name, stem)
        )

    async def _is_same_file(self, id: str, file: FileInfo, other: FileInfo | None) -> bool:
        if other is None or (self._sizes_are_exact and file.size != other.size):
            return False
        if file.version == other.version and (
            is_md5_version(file.version) or is_multipart_md5_version(file.version)
        ):
            return True
        async with (
            await self._source.open_file(id, file.name) as one,
            await self._destination.open_file(id, file.name) as two,
        ):
            while chunk := await one.read(CHUNK):
                self._check_not_stopped()
                if chunk != await two.read(CHUNK):
                    return False
            return not await two.read(1)

    async def _write(self, plan: _Plan, id: str, found: StoredObject) -> None:
        await self._pool.gather(
            [
                *(partial(self._copy_file, id, name) for name in plan.files),
                *(
                    partial(self._to.put_part, id, name, plan.stem, body, overwrite=self._overwrite)
                    for name, body in plan.parts.items()
                ),
            ]
        )
        if plan.session:
            await self._to.put(
                id,
                found.body,
                overwrite=self._overwrite,
                is_new=plan.is_new,
                metadata=found.info.metadata,
            )

    async def _copy_file(self, id: str, name: str) -> None:
        self._check_not_stopped()
        async with await self._source.open_file(id, name) as reader:
            await self._destination.put_file(id, name, self._chunks(reader), content_type=reader.content_type)

    async def _chunks(self, reader: AsyncFileReader) -> AsyncIterator[bytes]:
        async for chunk in reader:
            self._check_not_stopped()
            yield chunk

    def _check_not_stopped(self) -> None:
        if self._is_stopped:
            raise _CopyStoppedError


def _same_json(one: bytes, two: bytes) -> bool:
    """Whether two texts have the same values in the same order, whatever their layout."""
    try:
        return json.dumps(json.loads(one)) == json.dumps(json.loads(two))
    except (ValueError, RecursionError):
        return False
