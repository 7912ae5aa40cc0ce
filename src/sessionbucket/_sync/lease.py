# Generated from sessionbucket/_async/lease.py by scripts/generate_sync.py: do not edit.
"""Leases: one worker at a time works on a session. They save work; the conditions of saves keep sessions correct."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from types import TracebackType
from typing import NamedTuple, Self
from uuid import uuid4

from sessionbucket._concurrency.threads import sleep
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.leases import (
    LARGEST_LEASE,
    LeaseDocument,
    LeaseWatch,
    LocalDeadline,
    check_lease,
    decode_lease,
    default_owner,
    new_document,
    poll_pause,
)
from sessionbucket._core.objects import JSON_CONTENT_TYPE
from sessionbucket._core.write_ids import WrittenVersion, written_version
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.conditional_write_support import SupportProbe
from sessionbucket._sync.documents import ConditionalWriter
from sessionbucket.errors import (
    ConflictError,
    InvalidArgumentError,
    LeaseHeldError,
    LeaseLostError,
    NotSupportedError,
    SessionBucketError,
    StoreUnavailableError,
)

logger = logging.getLogger(__name__)


class _Attempt(NamedTuple):
    """A document of this worker, and the end of its lease. A write of unknown outcome is found again by its document."""

    document: LeaseDocument
    deadline: LocalDeadline


class Lease:
    """The lease of one session: ``with store.lease(id)`` acquires and releases it.

    It tells other workers to wait. It does not stop a save of theirs: the condition of each save keeps the session correct. Pass the
    lease to ``save``, so that a worker that was paused for too long saves nothing.
    """

    def __init__(  # noqa: PLR0917
        self,
        bucket: Bucket,
        keys: StoreKeys,
        writer: ConditionalWriter,
        support: SupportProbe,
        id: str,
        ttl: timedelta,
        wait: timedelta,
        owner: str | None,
    ) -> None:
        check_lease(ttl, wait, owner)
        self.id = id
        self._bucket = bucket
        self._writer = writer
        self._support = support
        self._probe = f"{keys.bookkeeping}probe/"
        self._key = keys.of_session(id).lease
        self._ttl = ttl
        self._wait = wait
        self._owner = owner or default_owner()
        self._document: LeaseDocument | None = None
        self._written: WrittenVersion | None = None
        self._deadline: LocalDeadline | None = None
        self._attempt: _Attempt | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id!r}>"

    @property
    def token(self) -> int:
        """The number of this acquisition, greater than that of each one before. Pass it to whatever can compare it.

        Raises ``InvalidArgumentError`` before the first acquisition.
        """
        return self._acquired.token

    @property
    def _acquired(self) -> LeaseDocument:
        if self._document is None:
            raise InvalidArgumentError(
                f"the lease of session {self.id!r} was not acquired: use it in a `with` block"
            )
        return self._document

    @property
    def remaining(self) -> timedelta:
        """The time until the lease ends by the clocks of this machine; zero when it is not held."""
        return self._deadline.remaining if self._deadline else timedelta(0)

    def check(self) -> None:
        """Return while the lease is held. Sends no request. Raises ``LeaseLostError`` once its time is over."""
        token = self._acquired.token
        if self.remaining <= timedelta(0):
            raise LeaseLostError(self.id, token, location=self._bucket.location)

    def acquire(self) -> None:
        """Acquire the lease, by one GET and one PUT when nobody holds it.

        Raises ``LeaseHeldError`` when another worker holds it for longer than ``wait``, and ``NotSupportedError`` for a store that
        writes unconditionally. After ``StoreUnavailableError`` with the outcome ``"unknown"`` nobody else may get it for its ``ttl``.
        """
        if self.remaining > timedelta(0):
            raise InvalidArgumentError(f"the lease of session {self.id!r} is held already")
        if not self._support.is_conditional():
            raise NotSupportedError(
                f"{self._bucket.location}: leases need conditional writes, which are off for this store"
            )
        until = time.monotonic() + self._wait.total_seconds()
        watch = LeaseWatch()
        while True:
            found = self._bucket.get(self._key, max_bytes=LARGEST_LEASE)
            current = decode_lease(self._key, found.body) if found else None
            if found and current and current.held:
                if self._attempt and current == self._attempt.document:
                    self._hold(self._attempt, written_version(found.info))
                    return
                is_first_look = not watch.has_begun
                is_over = watch.is_over(current)
                if is_first_look:
                    is_over = current.has_ended(found.info.updated_at, self._storage_time())
                left = until - time.monotonic()
                if not is_over:
                    if left <= 0:
                        raise self._held_by(current)
                    sleep(poll_pause(current.ttl, left))
                    continue
            if self._take(current, written_version(found.info) if found else None):
                return

    def _held_by(self, current: LeaseDocument) -> LeaseHeldError:
        return LeaseHeldError(
            self.id, owner=current.owner, token=current.token, ttl=current.ttl, location=self._bucket.location
        )

    def _take(self, current: LeaseDocument | None, base: WrittenVersion | None) -> bool:
        """Write a document of this worker over the current one. False when it is to be read again."""
        document = new_document(current.token + 1 if current else 1, self._owner, self._ttl)
        self._attempt = attempt = _Attempt(document, LocalDeadline(self._ttl))
        try:
            written = self._write(document, base)
        except ConflictError:
            return False
        self._hold(attempt, written)
        return True

    def _hold(self, attempt: _Attempt, written: WrittenVersion) -> None:
        self._document, self._deadline = attempt
        self._written = written
        self._attempt = None

    def _write(self, document: LeaseDocument, base: WrittenVersion | None) -> WrittenVersion:
        return self._writer.write(
            self._key, document.encode(), base, content_type=JSON_CONTENT_TYPE, pending=[]
        )

    def _storage_time(self) -> datetime:
        """The time by the clock that dates the objects of this store, which no machine's own clock need agree with."""
        key = f"{self._probe}{uuid4().hex}"
        self._bucket.put(key, b"")
        try:
            found = self._bucket.head(key)
        finally:
            self._bucket.delete([key])
        if found is None:
            raise StoreUnavailableError(
                "an object was missing right after it was written", location=self._bucket.location, key=key
            )
        return found.updated_at

    def renew(self) -> None:
        """Hold the lease for its whole ``ttl`` from now on, with the same token, by one PUT.

        Raises ``LeaseLostError`` when its time was over or another worker has it. After any other error the lease ends when it would
        have ended without the renewal.
        """
        self.check()
        before = self._acquired
        document = new_document(before.token, self._owner, self._ttl)
        deadline = LocalDeadline(self._ttl)
        try:
            written = self._write(document, self._written)
        except ConflictError as error:
            self._deadline = None
            raise LeaseLostError(self.id, before.token, location=self._bucket.location) from error
        self._document, self._written, self._deadline = document, written, deadline

    def release(self) -> None:
        """Let other workers have the lease at once, by one PUT. A lease that was lost, or never acquired, stays as it is.

        When it raises ``StoreUnavailableError``, others get the lease after its time at the latest.
        """
        if self._deadline is None or self._document is None:
            return
        self._deadline = None
        document = new_document(self._document.token, self._owner, self._ttl, held=False)
        try:
            self._write(document, self._written)
        except ConflictError as error:
            logger.debug("the lease of session %r was lost before its release: %s", self.id, error)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except SessionBucketError as failure:
            logger.warning("the lease of session %r ends by itself, its release failed: %s", self.id, failure)
