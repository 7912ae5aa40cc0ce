# Generated from sessionbucket/_async/conditional_write_support.py by scripts/generate_sync.py: do not edit.
"""Whether the server of a bucket enforces the conditions of writes: probed once in a process, and remembered."""

from __future__ import annotations

import logging
import time
import warnings
from contextlib import suppress
from functools import partial
from uuid import uuid4

from sessionbucket._concurrency.threads import SingleFlight, gather, sleep
from sessionbucket._core.objects import Condition, IfAbsent, IfMatch
from sessionbucket._core.results import ConditionalWriteSupport, ProbeResult
from sessionbucket._core.retry import Attempts
from sessionbucket._sync.request_retries import send_with_retries
from sessionbucket._sync.wrappers.retrying import RetryingBucket
from sessionbucket.errors import (
    AccessDeniedError,
    ConditionalWritesUnsupportedError,
    NotSupportedError,
    PreconditionFailedError,
    StoreUnavailableError,
)

logger = logging.getLogger(__name__)

_RACERS = 4
_ROUNDS = 3
_NO_VERSION = '"00000000000000000000000000000000"'

_results: dict[tuple[str, bool], ProbeResult] = {}
"""What a probe of this process found, by the location of the bucket, and by whether its engine can delete conditionally."""


class SupportProbe:
    """Decides whether the writes of a store are conditional."""

    def __init__(self, bucket: RetryingBucket, folder: str) -> None:
        """``folder`` is the prefix of the probe's own objects; it ends in a slash."""
        self._bucket = bucket
        self._folder = folder
        self._is_conditional: bool | None = None
        self._probe = SingleFlight(self._probe_server)

    def is_conditional(self) -> bool:
        """Whether writes are conditional. The first call on a server that is not trusted probes it.

        Raises ``ConditionalWritesUnsupportedError`` when writes must be conditional and the server does not enforce that.
        """
        if self._is_conditional is not None:
            return self._is_conditional
        result = self.result()
        if result.support not in (ConditionalWriteSupport.ATOMIC, ConditionalWriteSupport.OFF):
            raise ConditionalWritesUnsupportedError(
                self._bucket.location, support=result.support, reason=result.reason
            )
        self._is_conditional = result.support is ConditionalWriteSupport.ATOMIC
        if not self._is_conditional:
            warnings.warn(
                f"writes to {self._bucket.location} are unconditional: with two writers, updates are lost",
                RuntimeWarning,
                stacklevel=4,
            )
        return self._is_conditional

    def deletes_conditionally(self) -> bool:
        """Whether deletes are conditional. The first call on a server that is not trusted probes it."""
        match self._bucket.capabilities.conditional_deletes:
            case "off":
                return False
            case "trusted":
                return True
        return (self.result()).deletes

    def result(self) -> ProbeResult:
        """How the server supports conditional requests. Concurrent callers share one probe and its error."""
        capabilities = self._bucket.capabilities
        match capabilities.conditional_writes:
            case "off":
                return ProbeResult(ConditionalWriteSupport.OFF)
            case "trusted":
                return ProbeResult(
                    ConditionalWriteSupport.ATOMIC, deletes=capabilities.conditional_deletes == "trusted"
                )
        result = _results.get(self._place) or self._probe()
        if result.bare_etags:
            self._bucket.sends_bare_etags = True
        return result

    @property
    def _place(self) -> tuple[str, bool]:
        return self._bucket.location, self._bucket.capabilities.conditional_deletes != "off"

    def _probe_server(self) -> ProbeResult:
        if found := _results.get(self._place):  # a probe that ended just before this one
            return found
        result = send_with_retries(
            lambda: _probe(self._bucket, f"{self._folder}{uuid4().hex}/"), self._bucket.capabilities.retry
        )
        _results[self._place] = result
        logger.debug("conditional writes at %s: %s %s", self._bucket.location, result.support, result.reason)
        return result


def _probe(bucket: RetryingBucket, folder: str) -> ProbeResult:
    """Try conditional writes in the folder: creates, stale updates, and racing creates. Deletes its objects at the end.

    Raises the errors of a bucket that cannot be written at all.
    """
    trial = _Trial(bucket, folder)
    try:
        return trial.run()
    except NotSupportedError as error:
        return _refused(f"the server refuses conditional requests: {error}")
    finally:
        trial.clean_up()


def _refused(reason: str) -> ProbeResult:
    return ProbeResult(ConditionalWriteSupport.REFUSED, reason)


def _ignored(reason: str) -> ProbeResult:
    return ProbeResult(ConditionalWriteSupport.IGNORED, reason)


class _Trial:
    def __init__(self, bucket: RetryingBucket, folder: str) -> None:
        self.bucket = bucket
        self.folder = folder
        self.keys: set[str] = set()

    def run(self) -> ProbeResult:
        with suppress(AccessDeniedError):  # permission to list is optional
            self.bucket.list_page(self.folder, limit=1)  # some servers create a missing bucket on a write
        first = self.put("once", b"1", IfAbsent())
        if first is None:
            return _refused("the server refuses to create an object that does not exist")
        if self.put("once", b"2", IfAbsent()):
            return _ignored("one key was created twice (If-None-Match is ignored)")
        second = self.put("once", b"3", IfMatch(first))
        if second is None:
            self.bucket.sends_bare_etags = True
            second = self.put("once", b"3", IfMatch(first))
        if second is None:
            self.bucket.sends_bare_etags = False
            return _refused("the server refuses to replace the current version")
        if self.put("once", b"4", IfMatch(first)):
            return _ignored("a stale version was accepted (If-Match is ignored)")
        for number in range(_ROUNDS):
            racers = [
                partial(self.put, f"race-{number}", str(racer).encode(), IfAbsent())
                for racer in range(_RACERS)
            ]
            winners = sum(version is not None for version in gather(racers))
            if winners != 1:
                return ProbeResult(
                    ConditionalWriteSupport.NOT_ATOMIC,
                    f"{_RACERS} writers raced to create one key, and the server accepted {winners} of them",
                )
        return ProbeResult(
            ConditionalWriteSupport.ATOMIC,
            deletes=self.deletes_conditionally(second),
            bare_etags=self.bucket.sends_bare_etags,
        )

    def deletes_conditionally(self, version: str) -> bool:
        """Whether the server rejects a delete of a stale version, and accepts that of the current one."""
        if self.bucket.capabilities.conditional_deletes == "off":
            return False
        key = f"{self.folder}once"
        try:
            self.bucket.delete_if(key, _NO_VERSION)
        except PreconditionFailedError:
            pass
        except NotSupportedError:
            return False
        else:
            return False
        # A repetition of a request whose response was lost meets the missing key, which some servers reject with 412.
        with suppress(PreconditionFailedError, NotSupportedError):
            self.bucket.delete_if(key, version)
        return self.bucket.head(key) is None

    def clean_up(self) -> None:
        """Delete the objects of the trial."""
        try:
            self.bucket.delete(sorted(self.keys))
        except StoreUnavailableError as error:
            # The outcome is that of the caller's write, which has not begun.
            raise error.with_outcome("not written") from error.__cause__

    def put(self, name: str, body: bytes, condition: Condition) -> str | None:
        """The version, or None when the server rejects the condition."""
        key = self.folder + name
        self.keys.add(key)
        attempts = Attempts(self.bucket.capabilities.retry, time.monotonic())
        while True:
            try:
                return self.bucket.put(key, body, condition=condition)
            except PreconditionFailedError:
                return None
            except StoreUnavailableError as error:
                # S3 responds 409 to some of several colliding writers: these have neither won nor lost yet.
                pause = None if error.outcome == "unknown" else attempts.next_pause()
                if pause is None:
                    raise error.with_outcome("not written") from error.__cause__
            sleep(pause)
