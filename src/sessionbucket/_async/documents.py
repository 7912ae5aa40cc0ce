"""Documents: versioned bytes at free keys, and what the library promises of a write to one key.

Everything above the bucket port that writes conditionally does so here: a conditional write whose lost response is resolved
(``write_ids`` has the argument), and the one loop that repeats a change after a conflict.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.bucket_listing import list_objects, list_pages
from sessionbucket._async.conditional_write_support import AsyncSupportProbe
from sessionbucket._async.request_retries import send_with_retries
from sessionbucket._async.wrappers.retrying import AsyncRetryingBucket
from sessionbucket._concurrency.asyncio_ import awaited, gather, sleep
from sessionbucket._core.arguments import (
    check_function,
    check_header_text,
    check_integer,
    check_items,
    check_kind,
    close_coroutine,
    refused,
)
from sessionbucket._core.document_keys import DocumentKeys
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import (
    DEFAULT_MAX_BYTES,
    NO_METADATA,
    IfAbsent,
    IfMatch,
    ObjectInfo,
    md5_version,
)
from sessionbucket._core.pagination import check_concurrency, check_first, check_limit
from sessionbucket._core.results import UNSEEN, Document, DocumentInfo, Unseen
from sessionbucket._core.retry import Attempts, RetryConfig, contention_pause
from sessionbucket._core.write_ids import (
    Resolution,
    WrittenVersion,
    history_metadata,
    new_write_history,
    resolve_outcome,
    written_version,
)
from sessionbucket.errors import (
    ConflictError,
    ConflictKind,
    InvalidArgumentError,
    LeaseLostError,
    NotSupportedError,
    ObjectTooLargeError,
    Outcome,
    PreconditionFailedError,
    SessionBucketError,
    StoreUnavailableError,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

_CONTENT_TYPE = "application/octet-stream"
_MOST_ATTEMPTS = 10

Documents = list[Document | None]  # inside the class, ``list`` is the method


class AsyncConditionalWriter:
    """Writes and deletes a key in exactly the version that the caller has seen."""

    def __init__(self, bucket: AsyncBucket, support: AsyncSupportProbe) -> None:
        """``bucket`` sends each request once: a write spends one retry budget on its PUTs and HEADs together."""
        self._bucket = bucket
        self._retrying = AsyncRetryingBucket(bucket)
        self._support = support

    @property
    def _retry(self) -> RetryConfig:
        return self._bucket.capabilities.retry

    @property
    def _keeps_history(self) -> bool:
        return self._bucket.capabilities.keeps_metadata

    async def write(
        self,
        key: str,
        body: bytes,
        base: WrittenVersion | None,
        *,
        content_type: str,
        metadata: Mapping[str, str] = NO_METADATA,
        pending: list[str] | None = None,
        check: Callable[[], None] | None = None,
    ) -> WrittenVersion:
        """Write the body over ``base``, or create the key when ``base`` is None. The write history joins the metadata.

        ``check`` is called before each request of the write, and raises ``LeaseLostError`` to end it.

        ``pending`` has the caller's earlier writes of this key whose outcome is unknown. If the current version is one of
        them, this write builds on it. This write joins the list before it is sent, and leaves it when its outcome is
        known. So the list is right even after a cancellation.

        Raises ``ConflictError`` when the key is in another version, and ``StoreUnavailableError`` when no response proves the
        outcome; both have the outcome. Writes unconditionally to a bucket whose conditional writes are off.
        """
        if not await self._support.is_conditional():
            return await self._put_once(key, body, content_type, metadata)
        noted: list[str] = [] if pending is None else pending
        earlier = tuple(noted)
        while True:
            write = _Write(self._bucket, key, body, base, content_type, metadata, check)
            # Without metadata the MD5 names a write, or the write id in the header of an encrypted object.
            mine = [write.history[0], *([] if self._keeps_history else [md5_version(body).strip('"')])]
            noted += mine
            try:
                written = await self._send(write)
            except ConflictError as error:
                if error.outcome == "unknown":
                    raise
                _remove(mine, noted)
                base = await self._find_own(key, earlier)
                if base is None:
                    raise
                earlier = ()
            except SessionBucketError as error:
                if getattr(error, "outcome", "not written") == "not written":
                    _remove(mine, noted)
                raise
            else:
                noted.clear()
                return written

    async def _send(self, write: _Write) -> WrittenVersion:
        started = time.monotonic()
        attempts: Attempts | None = None  # most writes need no second attempt
        while True:
            try:
                return WrittenVersion(await write.send(), write.history)
            except SessionBucketError as error:
                write.note_failure(error)
                failure = error
            attempts = attempts or Attempts(self._retry, started)
            if write.is_unresolved:
                if not self._keeps_history:
                    write.give_up(failure)
                written = await write.resolve(failure)
                if written:
                    return written
            pause = attempts.next_pause()
            if pause is None:
                write.give_up(failure)
            await sleep(pause)

    async def _find_own(self, key: str, writes: Sequence[str]) -> WrittenVersion | None:
        """The current version, if it is one of these writes."""
        found = await self._retrying.head(key) if writes else None
        current = written_version(found) if found else None
        return current if current and current.history[0] in writes else None

    async def overwrite(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str] = NO_METADATA,
        pending: list[str] | None = None,
        check: Callable[[], None] | None = None,
    ) -> WrittenVersion:
        """Write the body over the current version, whatever it is. ``pending`` and ``check`` are those of ``write``.

        Each attempt is a HEAD, and a PUT on the condition of that version. So a late copy of the PUT changes nothing. Raises
        ``ConflictError`` when other writers are faster many times in a row.
        """

        async def attempt() -> WrittenVersion:
            found = await self._retrying.head(key)
            base = written_version(found) if found else None
            return await self.write(
                key,
                body,
                base,
                content_type=content_type,
                metadata=metadata,
                pending=pending,
                check=check,
            )

        if not await self._support.is_conditional():
            return await self._put_once(key, body, content_type, metadata)
        return await retry_after_conflicts(attempt, attempts=_MOST_ATTEMPTS, location=self._bucket.location)

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str] = NO_METADATA
    ) -> WrittenVersion:
        """Write the body unconditionally, with a new write history. A late copy of a request can undo a later write."""
        history = new_write_history()
        metadata = {**metadata, **history_metadata(history)}
        return WrittenVersion(
            await self._retrying.put(key, body, content_type=content_type, metadata=metadata), history
        )

    async def _put_once(
        self, key: str, body: bytes, content_type: str, metadata: Mapping[str, str]
    ) -> WrittenVersion:
        """Write the body unconditionally. A request that may have been done is not repeated."""
        history = new_write_history()
        metadata = {**metadata, **history_metadata(history)}
        version = await send_with_retries(
            lambda: self._bucket.put(key, body, content_type=content_type, metadata=metadata),
            self._retry,
            repeat_unknown=False,
        )
        return WrittenVersion(version, history)

    async def delete(self, key: str) -> None:
        """Delete the current version of the key, whatever it is. A missing key counts as deleted.

        Where the server supports conditional deletes, each attempt is a HEAD, and a DELETE on the condition of that version. So a
        late copy of the DELETE deletes nothing newer. Otherwise it is a HEAD and a DELETE that is not repeated when it may have been done:
        ``StoreUnavailableError`` has the outcome ``"unknown"`` then.
        """
        if not await self._support.deletes_conditionally():
            # A versioned bucket would make a delete marker even for a key that does not exist.
            if await self._retrying.exists(key):
                await self.delete_once([key])
            return
        for _ in range(_MOST_ATTEMPTS):
            found = await self._retrying.head(key)
            if found is None:
                return
            try:
                await self.delete_if(key, found.version or "")
            except ConflictError:
                continue
            return
        raise ConflictError(key, location=self._bucket.location, attempts=_MOST_ATTEMPTS)

    async def delete_if(self, key: str, version: str) -> None:
        """Delete the key if it is in this version; a missing key counts as deleted. Raises ``ConflictError``, and
        ``NotSupportedError`` where the server does not support conditional deletes.
        """
        if not await self._support.deletes_conditionally():
            raise NotSupportedError(f"{self._bucket.location} does not support conditional deletes")
        try:
            await self._retrying.delete_if(key, version)
        except PreconditionFailedError as error:
            if await self._retrying.head(key) is None:
                return  # SeaweedFS responds 412 for a missing key
            raise ConflictError(key, location=self._bucket.location) from error.__cause__

    async def delete_once(self, keys: Sequence[str]) -> None:
        """Delete the keys unconditionally. A request that may have been done is not repeated."""
        if keys:
            await send_with_retries(lambda: self._bucket.delete(keys), self._retry, repeat_unknown=False)


def _remove(mine: Sequence[str], noted: list[str]) -> None:
    for each in mine:
        noted.remove(each)


class _Write:
    """One conditional write, which may take several requests with one write id."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: AsyncBucket,
        key: str,
        body: bytes,
        base: WrittenVersion | None,
        content_type: str,
        metadata: Mapping[str, str],
        check: Callable[[], None] | None,
    ) -> None:
        self.bucket = bucket
        self.key = key
        self.body = body
        self.base = base
        self.condition = IfMatch(base.version) if base else IfAbsent()
        self.content_type = content_type
        self.history = new_write_history(base.history if base else ())
        self.metadata = {**metadata, **history_metadata(self.history)}
        self.is_unresolved = False
        self._check = check

    async def send(self) -> str:
        self._raise_if_lost()
        return await self.bucket.put(
            self.key,
            self.body,
            condition=self.condition,
            content_type=self.content_type,
            metadata=self.metadata,
        )

    def _raise_if_lost(self) -> None:
        if self._check is None:
            return
        try:
            self._check()
        except LeaseLostError as error:
            raise error.with_outcome("unknown" if self.is_unresolved else "not written") from None

    def note_failure(self, error: SessionBucketError) -> None:
        """Note whether a request of this write may have been done. Raises when the response proves that none was."""
        match error:
            case PreconditionFailedError():
                self.is_unresolved |= error.retried
                if not self.is_unresolved:
                    raise self.conflict("not written", is_missing=error.is_missing) from error
            case LeaseLostError():
                raise error
            case StoreUnavailableError():
                self.is_unresolved |= error.outcome == "unknown"
            case _ if not self.is_unresolved:
                raise error

    async def resolve(self, failure: SessionBucketError) -> WrittenVersion | None:
        """The written version, or None when the write must be sent again. Raises ``ConflictError``."""
        try:
            found = await self.bucket.head(self.key)
        except SessionBucketError:
            return None  # without a HEAD nothing is resolved, whatever prevented it
        resolution = resolve_outcome(self.history[0], self.base.history[0] if self.base else None, found)
        match resolution:
            case Resolution.WRITTEN | Resolution.BUILT_UPON:
                logger.warning(
                    "the response to a write of %r at %s was lost; the write had been done",
                    self.key,
                    self.bucket.location,
                )
                return self._written(resolution, found)
            case Resolution.NOT_WRITTEN:
                raise self.conflict("not written") from failure
            case Resolution.UNKNOWN:
                raise self.conflict("unknown", is_missing=found is None) from failure
            case Resolution.UNCHANGED:
                return None

    def _written(self, resolution: Resolution, found: ObjectInfo | None) -> WrittenVersion:
        """The version of this write. When another write was built on it, the next write on this version conflicts."""
        if resolution is Resolution.WRITTEN and found and found.version:
            return WrittenVersion(found.version, self.history)
        return WrittenVersion(md5_version(self.body), self.history)

    def give_up(self, failure: SessionBucketError) -> NoReturn:
        """Raise the error of a write whose retry budget is spent."""
        if not self.is_unresolved:
            raise failure
        if isinstance(failure, StoreUnavailableError):
            raise failure.with_outcome("unknown") from failure.__cause__
        raise self.conflict("unknown") from failure

    def conflict(self, outcome: Outcome, *, is_missing: bool = False) -> ConflictError:
        kind: ConflictKind = "deleted" if is_missing else "changed" if self.base else "exists"
        return ConflictError(self.key, location=self.bucket.location, outcome=outcome, kind=kind)


async def retry_after_conflicts(change: Callable[[], Awaitable[T]], *, attempts: int, location: str) -> T:
    """Make a change that reads, edits and writes; after a conflict make it again, from a fresh read.

    The pauses in between grow with the duration of an attempt, with jitter. Raises ``InvalidArgumentError`` for less than one
    attempt, and ``ConflictError`` after ``attempts`` conflicts. Raises it at once when the outcome of a write is unknown,
    because a repetition could apply the change twice.
    """
    check_integer("attempts", attempts, 1)
    conflicts = 0
    while True:
        started = time.monotonic()
        try:
            return await change()
        except ConflictError as error:
            conflicts += 1
            if error.outcome == "unknown" or conflicts == attempts:
                raise error.after(conflicts) from error.__cause__
            logger.warning("conflict %d with another writer at %s", conflicts, location)
        await sleep(contention_pause(conflicts, started))


class AsyncDocumentStore:
    """Versioned bytes at free keys in one folder of a store.

    Open one with ``open_async_documents`` or ``AsyncSessionStore.documents``, or construct it with a bucket of your own. A key
    is one or more segments separated by ``/``, none of them empty, ``.`` or ``..``. In a local folder a key must not be the folder
    of another (``a`` beside ``a/b``). One document store serves any number of tasks. Every method may raise
    ``StoreUnavailableError``, ``AccessDeniedError`` and ``BucketNotFoundError``, and ``InvalidArgumentError`` for a bad key.
    """

    def __init__(
        self,
        bucket: AsyncBucket,
        name: str,
        *,
        prefix: str = "",
        max_bytes: int = DEFAULT_MAX_BYTES,
        integration: bool = False,
    ) -> None:
        """``name`` is the folder under the store's ``prefix``; ``max_bytes`` is the largest size of a document.

        With ``integration``, ``name`` must be the folder of one of this library's integrations, such as ``"langgraph"``: use it to
        read their documents. Without it, their names are refused.

        Raises ``InvalidArgumentError`` for a bad prefix, and for a name that breaks a rule or belongs to the library.
        """
        check_kind("bucket", bucket, AsyncBucket)
        check_integer("max_bytes", max_bytes, 1)
        store_keys = StoreKeys(prefix)
        self.bucket = bucket
        self._keys = DocumentKeys(store_keys.root, name, integration=integration)
        self._max_bytes = max_bytes
        self._retrying = AsyncRetryingBucket(bucket)
        support = AsyncSupportProbe(self._retrying, f"{store_keys.bookkeeping}probe/")
        self._writer = AsyncConditionalWriter(bucket, support)

    @property
    def location(self) -> str:
        """The place of the documents, for messages; without secrets."""
        return f"{self.bucket.location}/{self._keys.folder}".rstrip("/")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.location}>"

    def full_key(self, key: str) -> str:
        """The key of a document in the bucket. Raises ``InvalidArgumentError`` for a key that breaks a rule. Sends no request."""
        return self._keys.full(key)

    async def get(self, key: str, *, first: int | None = None) -> Document | None:
        """Return the document, or None when it does not exist.

        With ``first``, its body is the first bytes alone, at most that many, and its size that of the whole document. In a folder
        it then has no version, so its ``version`` is empty.

        Raises ``ObjectTooLargeError`` for a body above ``max_bytes``, and ``InvalidArgumentError`` for a ``first`` below 1.
        """
        full = self._keys.full(key)
        if first is None:
            found = await self._retrying.get(full, max_bytes=self._max_bytes)
        else:
            check_first(first)
            found = await self._retrying.get(full, max_bytes=self._max_bytes, first=first)
        if found is None:
            return None
        info = found.info
        return Document(key, found.body, info.size, info.updated_at, written_version(info))

    async def get_many(
        self, keys: Iterable[str], *, concurrency: int = 32, first: int | None = None
    ) -> Documents:
        """Return the documents in the order of the keys, None for each that does not exist; ``first`` is that of ``get``.

        Sends at most ``concurrency`` requests at a time. Raises the first error, after all requests have ended.
        """
        check_concurrency(concurrency)
        check_items("keys", keys)
        return await gather([partial(self.get, key, first=first) for key in keys], limit=concurrency)

    async def put(self, key: str, body: bytes, *, if_absent: bool = False) -> Document:
        """Write the document. With ``if_absent`` it must not exist; otherwise the write is unconditional.

        Use the unconditional form only for keys that one writer owns: it replaces any version, and a late copy of its request
        can undo a later write. Raises ``ConflictError`` when the document exists, with its outcome.
        """
        if if_absent:
            return await self._write(key, body, None)
        written = await self._writer.put(
            self._keys.full(key), self._checked(key, body), content_type=_CONTENT_TYPE
        )
        return Document(key, body, len(body), None, written)

    async def update(
        self,
        key: str,
        change: Callable[[Document | None], bytes | Awaitable[bytes | None] | None],
        *,
        seen: Document | Unseen | None = UNSEEN,
        attempts: int = 10,
    ) -> Document | None:
        """Read the document, change it, and write it over exactly the version that was read; repeat after a conflict.

        ``change`` gets the document, or None when it does not exist, and returns the new body, or None to write nothing. It
        may run up to ``attempts`` times. What it raises reaches the caller, and nothing is written.

        ``seen`` spares the first read: pass a document that you remember, or None when the document probably does
        not exist. If that is wrong, the first write conflicts and the next attempt reads. If ``change`` writes nothing or raises
        for ``seen``, it runs again for the document as read, because ``seen`` may be outdated.

        Returns the document as written, or as read when nothing was written. Raises ``ConflictError`` after ``attempts`` conflicts,
        and at once when the outcome of a write is unknown.
        """
        self._keys.full(key)
        check_function("change", change)
        if seen is not None and not isinstance(seen, Document | Unseen):
            raise refused("seen", seen, "a Document, or None")
        if isinstance(seen, Document) and len(seen.body) != seen.size:
            raise InvalidArgumentError(
                f"seen is refused: it has the first {len(seen.body)} bytes of document {key!r}, and an update needs all "
                f"{seen.size}; nothing was written"
            )
        remembered = [] if isinstance(seen, Unseen) else [seen]

        async def change_once() -> Document | None:
            if remembered:
                guess = remembered.pop()
                try:
                    body = await awaited(change(guess))
                except Exception:  # noqa: BLE001 (the change is made again below)
                    body = None
                if body is not None:
                    return await self._write(key, body, guess)
            current = await self.get(key)
            body = await awaited(change(current))
            return current if body is None else await self._write(key, body, current)

        return await retry_after_conflicts(change_once, attempts=attempts, location=self.location)

    async def _write(self, key: str, body: bytes, seen: Document | None) -> Document:
        written = await self._writer.write(
            self._keys.full(key),
            self._checked(key, body),
            seen.written if seen else None,
            content_type=_CONTENT_TYPE,
        )
        return Document(key, body, len(body), None, written)

    async def list(
        self, prefix: str = "", *, start_after: str = "", limit: int | None = None, recursive: bool = True
    ) -> AsyncGenerator[DocumentInfo, None]:
        """List the documents whose keys start with ``prefix``, in the order of the keys' UTF-8 bytes; at most ``limit``.

        With ``recursive=False``, documents in deeper folders are left out: those with a ``/`` after the prefix.

        Raises ``InvalidArgumentError`` for a bad prefix or start, and a limit below 1.
        """
        start = self._keys.prefix(prefix)
        after = self._keys.full(start_after) if start_after else ""
        if limit is not None:
            check_limit(limit)
        left = limit
        delimiter = "" if recursive else "/"
        async for page in list_pages(
            self._retrying, start, delimiter=delimiter, start_after=after, limit=limit
        ):
            for info in page.objects[:left]:
                if info.key.endswith("/"):  # SeaweedFS lists an empty folder as an object
                    continue
                yield DocumentInfo(self._keys.relative(info.key), info.size, info.updated_at, info.version)
                left = None if left is None else left - 1
            if left == 0:
                return

    async def list_folders(self, prefix: str = "") -> AsyncGenerator[str, None]:
        """List the folders directly under ``prefix``, which is empty or ends in ``/``; each name without slashes."""
        start = self._keys.prefix(prefix, is_folder=True)
        previous = ""
        async for page in list_pages(self._retrying, start, delimiter="/"):
            for folder in page.folders:
                if folder != previous:  # a server may repeat a folder on the next page
                    yield folder[len(start) : -1]
                previous = folder

    async def copy(self, source: str, target: str) -> None:
        """Copy a document over any version of the target, on the server where it can. The source may have any size.

        Raises ``InvalidArgumentError`` when the source does not exist.
        """
        if not await self._retrying.copy(self._keys.full(source), self._keys.full(target)):
            raise InvalidArgumentError(
                f"document {source!r} does not exist in {self.location}; nothing was copied"
            )

    async def delete(self, keys: str | Iterable[str]) -> None:
        """Delete documents unconditionally; a missing one counts as deleted.

        Raises ``DeleteIncompleteError`` with the remaining keys.
        """
        chosen = [keys] if isinstance(keys, str) else keys
        check_items("keys", chosen)
        await self._retrying.delete([self._keys.full(key) for key in chosen])

    async def delete_if(self, key: str, version: str) -> None:
        """Delete a document if it is in this version; a missing one counts as deleted.

        Raises ``ConflictError`` when it is in another version, and ``NotSupportedError`` where the server does not support
        conditional deletes.
        """
        check_header_text("version", version)
        await self._writer.delete_if(self._keys.full(key), version)

    async def delete_prefix(self, prefix: str) -> None:
        """Delete every document whose key starts with ``prefix``, as a listing at this moment shows them."""
        found = await list_objects(self._retrying, self._keys.prefix(prefix))
        await self._retrying.delete([info.key for info in found])

    def _checked(self, key: str, body: object) -> bytes:
        if not isinstance(body, bytes):
            close_coroutine(body)
            raise InvalidArgumentError(
                f"the body of document {key!r} is refused: it is {type(body).__name__} and must be bytes; "
                "nothing was written"
            )
        if len(body) > self._max_bytes:
            raise ObjectTooLargeError(self._keys.full(key), size=len(body), limit=self._max_bytes)
        return body

    async def close(self) -> None:
        """Close all connections of the bucket. The document store may be used again afterwards."""
        await self.bucket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
