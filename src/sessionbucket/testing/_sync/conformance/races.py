# Generated from sessionbucket/testing/_async/conformance/races.py by scripts/generate_sync.py: do not edit.
"""Races: several writers at once, each with a bucket object of its own and all with one."""

from __future__ import annotations

import random
from functools import partial
from threading import Lock
from typing import Any

import pytest

from sessionbucket import Bucket, Condition, IfAbsent, IfMatch, PreconditionFailedError
from sessionbucket.errors import StoreUnavailableError
from sessionbucket.testing._concurrency.threads import Event, at_once, sleep, wait_for
from sessionbucket.testing._sync.conformance.bucket_case import LIMIT, BucketCase

WRITERS = 4
INCREMENTS = 5
MOST_TRIES = 200
LONGEST_WAIT = 10.0


class RaceTests(BucketCase):
    """Comparing and writing are one step for every writer of a location."""

    def buckets(self, shared: bool) -> list[Bucket]:
        """A bucket for each writer."""
        return [self.bucket] * WRITERS if shared else [self.open() for _ in range(WRITERS)]

    def race(self, buckets: list[Bucket], key: str, condition: Condition, how: str) -> None:
        """Let the writers put at once, and fail unless exactly one wins and its body is stored."""
        bodies = [f"writer {number}".encode() for number in range(WRITERS)]
        results = at_once(
            *(
                partial(bucket.put, key, body, condition=condition)
                for bucket, body in zip(buckets, bodies, strict=True)
            )
        )
        won = [body for body, result in zip(bodies, results, strict=True) if isinstance(result, str)]
        assert won, f"of {WRITERS} writers who {how} at the same time none won; they got {results}"
        assert len(won) == 1, (
            f"of {WRITERS} writers who {how} at the same time {len(won)} won: put with "
            f"{type(condition).__name__} is not atomic; comparing and writing must be one step"
        )
        odd = [result for result in results if not isinstance(result, str) and not lost(result)]
        assert not odd, f"a writer who lost must get PreconditionFailedError, not {odd[0]!r}"
        assert self.body_of(key) == won[0], "the object must be that of the writer who won"

    @pytest.mark.parametrize("shared", [False, True], ids=["a bucket object each", "one bucket object"])
    def test_of_writers_who_create_one_key_at_once_one_wins(self, shared: bool) -> None:
        buckets = self.buckets(shared)
        for number in range(self.race_rounds):
            self.race(buckets, self.key(f"race-{number}"), IfAbsent(), "created one key")

    @pytest.mark.parametrize("shared", [False, True], ids=["a bucket object each", "one bucket object"])
    def test_of_writers_who_replace_one_version_at_once_one_wins(self, shared: bool) -> None:
        buckets = self.buckets(shared)
        for number in range(self.race_rounds):
            version = self.bucket.put(self.key(), f"base {number}".encode())
            self.race(buckets, self.key(), IfMatch(version), "replaced one version")

    def test_no_change_is_lost_when_writers_repeat_theirs_until_accepted(self) -> None:
        self.bucket.put(self.key(), b"0")

        buckets = self.buckets(shared=False)
        increments = min(INCREMENTS, self.race_rounds)
        for _ in range(increments):
            read = Rendezvous(WRITERS)
            results = at_once(*(partial(self.increment, bucket, read) for bucket in buckets))
            assert results == [None] * WRITERS, f"a writer failed: {results}"
        body = self.body_of(self.key())
        assert body == str(WRITERS * increments).encode(), (
            f"updates were lost: {WRITERS} writers added 1 {increments} times each with get and put with IfMatch(), and the "
            f"count is {body!r}"
        )

    def increment(self, bucket: Bucket, read: Rendezvous) -> None:
        """Add one to the number at the key, over exactly the version that was read; at first when all have read it."""
        for attempt in range(MOST_TRIES):
            found = bucket.get(self.key(), max_bytes=LIMIT)
            assert found is not None, "get does not find the object"
            read.meet()
            body = str(int(found.body) + 1).encode()
            try:
                bucket.put(self.key(), body, condition=IfMatch(found.info.version or ""))
            except (PreconditionFailedError, StoreUnavailableError) as error:
                assert lost(error), error
                sleep(random.uniform(0, 0.02 * 2 ** min(attempt, 3)))  # noqa: S311 (no secret)
            else:
                return
        pytest.fail(f"put with the version that get had just given was refused {MOST_TRIES} times")

    def test_readers_see_whole_bodies_each_with_its_own_version(self) -> None:
        written: dict[str, bytes] = {}
        seen: list[tuple[str | None, bytes]] = []
        writer, *readers = self.buckets(shared=False)

        def write() -> None:
            for number in range(20):
                body = bytes([number]) * (1000 * number + 50_000)
                written[writer.put(self.key(), body)] = body

        def read(bucket: Bucket) -> None:
            for _ in range(20):
                found = bucket.get(self.key(), max_bytes=LIMIT)
                if found is not None:
                    seen.append((found.info.version, found.body))

        results = at_once(write, *(partial(read, bucket) for bucket in readers))
        assert results == [None] * WRITERS, f"a reader or the writer failed: {results}"
        for version, body in seen:
            assert body in written.values(), (
                "get returned a body that no writer put: a mixture of two, or a part of one"
            )
            assert written.get(version or "") == body, (
                "get returned a body with the version of another; both must be of one put"
            )

    def test_puts_and_deletes_side_by_side_do_not_disturb_each_other(self) -> None:
        def come_and_go(number: int) -> None:
            key = self.key(f"a/b/c{number % 2}/{number}")
            for _ in range(10):
                self.bucket.put(key, b"x")
                self.bucket.delete([key])

        results = at_once(*(partial(come_and_go, number) for number in range(WRITERS)))
        assert results == [None] * WRITERS, f"a put or delete failed beside others of near keys: {results}"
        page = self.bucket.list_page(self.prefix)
        assert not page.objects, "delete left a key while others were put and deleted"


def lost(result: Any) -> bool:
    """Whether the result is one that a writer who met others may get: S3 gives some of them a 409."""
    return isinstance(result, PreconditionFailedError) or (
        isinstance(result, StoreUnavailableError) and result.outcome == "not written"
    )


class Rendezvous:
    """A point that each writer passes once all have reached it. A writer that comes again passes at once.

    If a writer fails before it, the others wait for some seconds, not forever.
    """

    def __init__(self, writers: int) -> None:
        self._missing = writers
        self._complete = Event()
        self._lock = Lock()

    def meet(self) -> None:
        """Wait for the others."""
        with self._lock:
            self._missing -= 1
            if self._missing <= 0:
                self._complete.set()
        wait_for(self._complete, LONGEST_WAIT)
