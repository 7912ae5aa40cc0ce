"""A bucket whose requests fail, wait or lose their answers when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar

from sessionbucket._concurrency.threads import settled
from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Anything,
    Condition,
    ObjectInfo,
    ObjectPage,
    StoredObject,
)
from sessionbucket._core.retry import Patience
from sessionbucket._sync.bucket import Bucket, ObjectStream
from sessionbucket.errors import Outcome, SessionBucketError, StoreUnavailableError
from sessionbucket.testing._concurrency.threads import Event, came
from sessionbucket.testing.calls import CHANGES, Call, Operation, Rule

T = TypeVar("T")

S3_PATIENCE = Patience(attempts=5, seconds=12.0)
"""What an S3 bucket has when nothing else was asked for."""


class FaultyBucket(Bucket):
    """The bucket within, with faults on request.

    Each fault is for the next call, unless it says otherwise: for one ``operation`` (any, if None) whose key matches
    ``key`` (a pattern as of ``fnmatch``; a listing has its prefix), from the ``nth`` such call on, for ``times``
    calls (all until ``heal``, if None). Where several faults meet one call, the first asked for is the outermost.

    The errors are those of an S3 bucket, and so is the ``patience``: the store above repeats a request
    as often, and an agent meets an error only where it would meet one in production. ``Patience()`` turns
    repeating off. Conditions are trusted without a probe, so a fault never meets the probe's requests.

    Its location is that of the bucket within: a store over that one is another writer of the same sessions, untouched by
    the faults. Every call is noted in ``calls``.
    """

    def __init__(self, inner: Bucket, *, patience: Patience = S3_PATIENCE) -> None:
        self.inner = inner
        self.name = inner.name
        self.patience = patience
        self.page_limit = inner.page_limit
        self.conditional_writes = "off" if inner.conditional_writes == "off" else "trusted"
        self.calls: list[Call] = []
        self._rules: list[Rule] = []
        self._lock = Lock()

    def refuse(
        self,
        operation: Operation | None = None,
        *,
        key: str = "*",
        nth: int = 1,
        times: int | None = 1,
        error: SessionBucketError | None = None,
    ) -> None:
        """Fail, with nothing done: with ``error``, or as when no connection can be made (``"not written"``)."""

        def refused(call: Call, _act: Callable[[], Any]) -> Any:
            raise error or self._silence(call, "no connection could be made", "not written")

        self._add(Rule("refuse", refused, operation, key, nth, times))

    def lose_request(
        self,
        operation: Operation | None = None,
        *,
        key: str = "*",
        nth: int = 1,
        times: int | None = 1,
    ) -> None:
        """Break the connection on the way there: nothing is done, which the caller of a put or delete can't know
        (``"unknown"``).
        """

        def lost(call: Call, _act: Callable[[], Any]) -> Any:
            raise self._silence(call, "the connection failed", "unknown")

        self._add(Rule("lose the request of", lost, operation, key, nth, times))

    def lose_answer(
        self,
        operation: Operation | None = None,
        *,
        key: str = "*",
        nth: int = 1,
        times: int | None = 1,
    ) -> None:
        """Break the connection on the way back: all is done, which the caller of a put or delete can't know
        (``"unknown"``).
        """

        def lost(call: Call, act: Callable[[], Any]) -> Any:
            with suppress(SessionBucketError):  # that answer is lost, too
                answer = act()
                if isinstance(answer, ObjectStream):
                    answer.chunks.close()
            raise self._silence(call, "the connection failed", "unknown")

        self._add(Rule("lose the answer of", lost, operation, key, nth, times))

    def interpose(
        self,
        action: Callable[[], object],
        operation: Operation | None = None,
        *,
        key: str = "*",
        nth: int = 1,
        times: int | None = 1,
    ) -> None:
        """Have something happen (another writer get in between) before the call is done; what it gives is awaited if need be.

        The action had better use ``inner``, or a store over it: its own calls may meet faults here.
        """

        def interposed(_call: Call, act: Callable[[], Any]) -> Any:
            settled(action())
            return act()

        self._add(Rule("interpose before", interposed, operation, key, nth, times))

    def hold_request(self, operation: Operation | None = None, *, key: str = "*", nth: int = 1) -> Hold:
        """Keep a call waiting before anything is done, until the hold that this gives is released."""
        hold = Hold()

        def held(_call: Call, act: Callable[[], Any]) -> Any:
            hold._wait()  # noqa: SLF001 (two halves of one thing)
            return act()

        hold._rule = self._add(Rule("hold", held, operation, key, nth, 1))  # noqa: SLF001
        return hold

    def hold_answer(self, operation: Operation | None = None, *, key: str = "*", nth: int = 1) -> Hold:
        """Keep the answer to a call waiting after all is done, until the hold that this gives is released."""
        hold = Hold()

        def held(_call: Call, act: Callable[[], Any]) -> Any:
            try:
                return act()
            finally:
                hold._wait()  # noqa: SLF001

        hold._rule = self._add(Rule("hold the answer of", held, operation, key, nth, 1))  # noqa: SLF001
        return hold

    def heal(self) -> None:
        """Forget all faults that were asked for. What is held stays so until it is released."""
        with self._lock:
            self._rules.clear()

    @property
    def pending(self) -> list[str]:
        """The faults that have not met all the calls they are meant for: a test that ends with one has not tested it."""
        with self._lock:
            return [str(rule) for rule in self._rules if rule.pending]

    def _add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule

    def _through(self, operation: Operation, keys: Sequence[str], act: Callable[[], T]) -> T:
        call = Call(operation, tuple(keys))
        with self._lock:
            self.calls.append(call)
            due = [rule.fault for rule in self._rules if rule.meets(call)]
            self._rules = [rule for rule in self._rules if not rule.spent]
        for fault in reversed(due):
            act = partial(fault, call, act)
        return act()

    def _silence(self, call: Call, reason: str, outcome: Outcome) -> StoreUnavailableError:
        """What an S3 bucket raises for a request without an answer: only of one that changes something, that it may have been
        done.
        """
        return StoreUnavailableError(
            f"{reason} (a fault that the test asked for)",
            location=self.location,
            key=call.keys[0] if call.operation != "delete" or len(call.keys) == 1 else None,
            outcome=outcome if call.operation in CHANGES else "not written",
        )

    @property
    def distinguishes_case(self) -> bool:
        return self.inner.distinguishes_case

    @property
    def location(self) -> str:
        return self.inner.location

    def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        return self._through("get", [key], lambda: self.inner.get(key, max_bytes=max_bytes))

    def head(self, key: str) -> ObjectInfo | None:
        return self._through("head", [key], lambda: self.inner.head(key))

    def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Anything(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        return self._through(
            "put",
            [key],
            lambda: self.inner.put(
                key, body, condition=condition, content_type=content_type, metadata=metadata
            ),
        )

    def delete(self, keys: Sequence[str]) -> None:
        if keys:
            self._through("delete", keys, lambda: self.inner.delete(keys))

    def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        return self._through(
            "list_page",
            [prefix],
            lambda: self.inner.list_page(prefix, delimiter=delimiter, start_after=start_after, limit=limit),
        )

    def put_stream(
        self,
        key: str,
        chunks: Iterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        self._through(
            "put_stream",
            [key],
            lambda: self.inner.put_stream(key, chunks, size=size, content_type=content_type),
        )

    def get_stream(self, key: str) -> ObjectStream | None:
        return self._through("get_stream", [key], lambda: self.inner.get_stream(key))

    def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        """A link of the bucket within. Signing asks nothing of it, so no fault meets this."""
        return self.inner.presign(key, expires_in=expires_in, filename=filename)

    def leftovers(self, prefix: str) -> list[ObjectInfo]:
        return self._through("leftovers", [prefix], lambda: self.inner.leftovers(prefix))

    def close(self) -> None:
        self.inner.close()


class Hold:
    """A call that is kept waiting. Use it with ``with``, so that it is released however the test ends."""

    def __init__(self) -> None:
        self._rule: Rule | None = None
        self._reached = Event()
        self._released = Event()

    def reached(self, seconds: float = 10.0) -> None:
        """Wait until the call is here. Raises ``TimeoutError`` when it has not come within ``seconds``."""
        if not came(self._reached, seconds):
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
