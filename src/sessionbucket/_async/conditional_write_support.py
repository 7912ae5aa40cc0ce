"""Finding out whether a server keeps the conditions of a put."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._concurrency.asyncio_ import gather, sleep
from sessionbucket._core.keys import Layout
from sessionbucket._core.objects import Absent, Condition, Match, PreconditionFailedError
from sessionbucket._core.results import Capability, ProbeResult
from sessionbucket.errors import NotSupportedError, StoreUnavailableError

_RACERS = 4
_ROUNDS = 3


async def probe(bucket: AsyncBucket, layout: Layout) -> ProbeResult:
    """Try the conditions out under the prefix: creates, stale updates, and racing creates.

    The objects it makes are removed. Raises the errors of the bucket where it can't be written at all.
    """
    trial = _Trial(bucket, f"{layout.bookkeeping}probe/{uuid4().hex}/")
    try:
        return await trial.run()
    except NotSupportedError as error:
        return ProbeResult(Capability.REFUSED, f"the server refuses conditional requests: {error}")
    finally:
        await trial.clean_up()


class _Trial:
    def __init__(self, bucket: AsyncBucket, folder: str) -> None:
        self.bucket = bucket
        self.folder = folder
        self.keys: set[str] = set()

    async def run(self) -> ProbeResult:
        first = await self.put("once", b"1", Absent())
        if first is None:
            return ProbeResult(
                Capability.REFUSED, "the server refuses to create an object that does not exist"
            )
        if await self.put("once", b"2", Absent()):
            return ProbeResult(
                Capability.IGNORED, "the same key was created twice (If-None-Match is ignored)"
            )
        second = await self.put("once", b"3", Match(first))
        if second is None:
            return ProbeResult(Capability.REFUSED, "the server refuses to replace the version that is there")
        if await self.put("once", b"4", Match(first)):
            return ProbeResult(Capability.IGNORED, "a stale version was accepted (If-Match is ignored)")
        for number in range(_ROUNDS):
            versions = await gather([self.racer(number, racer) for racer in range(_RACERS)])
            winners = sum(version is not None for version in versions)
            if winners != 1:
                return ProbeResult(
                    Capability.NOT_ATOMIC,
                    f"of {_RACERS} writers who raced to create one key, {winners} were told they won",
                )
        return ProbeResult(Capability.ATOMIC, "")

    async def clean_up(self) -> None:
        """Remove what the trial made."""
        try:
            await self.bucket.delete(sorted(self.keys))
        except StoreUnavailableError as error:
            raise error.with_outcome(
                "not written"
            ) from error.__cause__  # of what the caller is about to write

    def racer(self, number: int, racer: int) -> _Racer:
        return _Racer(self, f"race-{number}", str(racer).encode())

    async def put(self, name: str, body: bytes, condition: Condition) -> str | None:
        """The version, or None where the condition was said not to hold."""
        key = self.folder + name
        self.keys.add(key)
        tries = self.bucket.patience.begin()
        while True:
            try:
                return await self.bucket.put(key, body, condition=condition)
            except PreconditionFailedError:
                return None
            except StoreUnavailableError as error:
                # S3 answers 409 to some of the writers that meet: they have neither won nor lost yet.
                if error.outcome == "unknown" or not tries.allows_another():
                    raise error.with_outcome("not written") from error.__cause__
            await sleep(tries.pause())


@dataclass(frozen=True, slots=True)
class _Racer:
    trial: _Trial
    name: str
    body: bytes

    async def __call__(self) -> str | None:
        return await self.trial.put(self.name, self.body, Absent())
