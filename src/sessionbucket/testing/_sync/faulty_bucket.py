# Generated from sessionbucket/testing/_async/faulty_bucket.py by scripts/generate_sync.py: do not edit.
"""A bucket whose requests fail, wait or lose their responses when a test asks for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from sessionbucket import (
    Bucket,
    BucketCall,
    BucketWrapper,
    Capabilities,
    ObjectStream,
    Operation,
    RetryConfig,
    SessionBucketError,
    StoreUnavailableError,
)
from sessionbucket.testing._concurrency.threads import Event, awaited, wait_for
from sessionbucket.testing.calls import CHANGES, Call, Rule

T = TypeVar("T")

S3_RETRY = RetryConfig(attempts=5, seconds=12.0)
"""The retry config of an S3 bucket with default options."""


class FaultyBucket(BucketWrapper):
    """The bucket ``inner``, with faults on request.

    Each fault is for the next call, unless stated otherwise: for one ``operation`` (any, if None) whose key matches
    ``key`` (an ``fnmatch`` pattern; the key of a listing is its prefix), from the ``nth`` such call on, for ``times``
    calls (all until ``clear_faults``, if None). When a call gets several faults, the first one requested is the outermost.

    The errors are those of an S3 bucket, and so is the ``retry`` config: the store above retries as often as in production, and
    an agent meets an error only if it would meet it there. ``RetryConfig()`` disables retries. The bucket counts as trusted,
    so no fault meets a request of the probe. A presign is no request, and meets no fault.

    Its location is that of ``inner``: a store over ``inner`` is another writer of the same sessions, without faults.
    ``calls`` has every request.
    """

    def __init__(self, inner: Bucket, *, retry: RetryConfig = S3_RETRY) -> None:
        super().__init__(inner)
        self.calls: list[Call] = []
        self._retry = retry
        self._rules: list[Rule] = []
        self._lock = Lock()

    @property
    def capabilities(self) -> Capabilities:
        inner = self.inner.capabilities
        conditional_writes: Literal["off", "trusted"] = (
            "off" if inner.conditional_writes == "off" else "trusted"
        )
        return inner._replace(retry=self._retry, conditional_writes=conditional_writes)

    def fail(
        self,
        operation: Operation | None = None,
        *,
        key: str = "*",
        nth: int = 1,
        times: int | None = 1,
        error: SessionBucketError | None = None,
    ) -> None:
        """Fail without executing the call: with ``error``, or as without a connection (``"not written"``)."""

        def failed(call: Call, _send: Callable[[], Any]) -> Any:
            raise error or self._unavailable(call, "no connection could be made", "not written")

        self._add(Rule("fail", failed, operation, key, nth, times))

    def drop_request(
        self,
        operation: Operation | None = None,
        *,
        key: str = "*",
        nth: int = 1,
        times: int | None = 1,
    ) -> None:
        """Break the connection before the call is executed. The outcome of a put or delete is ``"unknown"`` to its caller."""

        def dropped(call: Call, _send: Callable[[], Any]) -> Any:
            raise self._unavailable(call, "the connection failed", "unknown")

        self._add(Rule("drop the request of", dropped, operation, key, nth, times))

    def drop_response(
        self,
        operation: Operation | None = None,
        *,
        key: str = "*",
        nth: int = 1,
        times: int | None = 1,
    ) -> None:
        """Break the connection after the call was executed. The outcome of a put or delete is ``"unknown"`` to its caller."""

        def dropped(call: Call, send: Callable[[], Any]) -> Any:
            with suppress(SessionBucketError):  # an error response is lost, too
                response = send()
                if isinstance(response, ObjectStream):
                    response.chunks.close()
            raise self._unavailable(call, "the connection failed", "unknown")

        self._add(Rule("drop the response of", dropped, operation, key, nth, times))

    def run_before(
        self,
        action: Callable[[], object],
        operation: Operation | None = None,
        *,
        key: str = "*",
        nth: int = 1,
        times: int | None = 1,
    ) -> None:
        """Run an action (another writer, for instance) before the call is executed. An awaitable result is awaited.

        The action should use ``inner`` or a store over it, because its own calls may meet faults here.
        """

        def preceded(_call: Call, send: Callable[[], Any]) -> Any:
            awaited(action())
            return send()

        self._add(Rule("run an action before", preceded, operation, key, nth, times))

    def pause_before(self, operation: Operation | None = None, *, key: str = "*", nth: int = 1) -> Pause:
        """Make a call wait before it is executed, until the returned pause is released."""
        pause = Pause()

        def paused(_call: Call, send: Callable[[], Any]) -> Any:
            pause._wait()  # noqa: SLF001 (two halves of one fault)
            return send()

        pause._rule = self._add(Rule("pause before", paused, operation, key, nth, 1))  # noqa: SLF001
        return pause

    def pause_after(self, operation: Operation | None = None, *, key: str = "*", nth: int = 1) -> Pause:
        """Make a call wait after it was executed, until the returned pause is released."""
        pause = Pause()

        def paused(_call: Call, send: Callable[[], Any]) -> Any:
            try:
                return send()
            finally:
                pause._wait()  # noqa: SLF001

        pause._rule = self._add(Rule("pause after", paused, operation, key, nth, 1))  # noqa: SLF001
        return pause

    def clear_faults(self) -> None:
        """Remove all faults. A paused call waits until it is released."""
        with self._lock:
            self._rules.clear()

    @property
    def pending(self) -> list[str]:
        """The faults that have not met all of their calls: a test that ends with one has not tested it."""
        with self._lock:
            return [str(rule) for rule in self._rules if rule.is_pending]

    def _add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule

    def request(self, call: BucketCall, send: Callable[[], T]) -> T:
        if call.operation == "presign" or not call.keys:
            return send()
        noted = Call(call.operation, tuple(call.keys))
        with self._lock:
            self.calls.append(noted)
            faults = [rule.fault for rule in self._rules if rule.matches(noted)]
            self._rules = [rule for rule in self._rules if not rule.is_spent]
        for fault in reversed(faults):
            send = partial(fault, noted, send)
        return send()

    def _unavailable(
        self, call: Call, reason: str, outcome: Literal["not written", "unknown"]
    ) -> StoreUnavailableError:
        """The error of an S3 bucket for a request without a response. Only a change can have an unknown outcome."""
        return StoreUnavailableError(
            f"{reason} (a fault of the test)",
            location=self.location,
            key=call.keys[0] if call.operation != "delete" or len(call.keys) == 1 else None,
            outcome=outcome if call.operation in CHANGES else "not written",
        )


class Pause:
    """A call that waits. Use it in a ``with`` statement, so that it is released however the test ends."""

    def __init__(self) -> None:
        self._rule: Rule | None = None
        self._reached = Event()
        self._released = Event()

    def reached(self, seconds: float = 10.0) -> None:
        """Wait until the call has come. Raises ``TimeoutError`` when it has not come within ``seconds``."""
        if not wait_for(self._reached, seconds):
            raise TimeoutError(f"{self._rule}: no such call came within {seconds:g} seconds")

    def release(self) -> None:
        """Let the call go on."""
        self._released.set()

    def _wait(self) -> None:
        self._reached.set()
        self._released.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
