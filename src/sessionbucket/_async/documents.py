"""A conditional put that tells what became of it, even when its answer was lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._concurrency.asyncio_ import sleep
from sessionbucket._core.objects import (
    NO_METADATA,
    Absent,
    Match,
    ObjectInfo,
    PreconditionFailedError,
    version_of,
)
from sessionbucket._core.write_ids import Verdict, chain_of, judge, new_chain, to_metadata
from sessionbucket.errors import Outcome, SessionBucketError, StoreUnavailableError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A version with its chain: what a write became, and what the next one builds on."""

    version: str
    chain: tuple[str, ...]


class NotWrittenError(SessionBucketError):
    """The condition did not hold, or it can't be known whether the write was done; ``outcome`` tells which."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome: Outcome = outcome


async def put_if_unchanged(
    bucket: AsyncBucket,
    key: str,
    body: bytes,
    base: Written | None,
    *,
    content_type: str,
    metadata: Mapping[str, str] = NO_METADATA,
) -> Written:
    """Put the body over exactly ``base``, or over nothing when that is None. The chain joins the ``metadata``.

    ``bucket`` is one that tries each request once: its patience is spent here, on the put and its looks together.

    Raises ``NotWrittenError`` when someone else was there before, and ``StoreUnavailableError`` when the storage gave no
    answer that settles it; both tell the outcome. ``chain`` argues why each verdict is right.
    """
    write = _Write(bucket, key, body, base, content_type, metadata)
    patience = bucket.patience.begin()
    while True:
        try:
            return Written(await write.send(), write.chain)
        except SessionBucketError as error:
            write.take_note(error)
            failure = error
        if write.unanswered:
            written = await write.resolve(failure)
            if written:
                return written
        if not patience.allows_another():
            break
        await sleep(patience.pause())
    if not write.unanswered:
        raise failure
    if isinstance(failure, StoreUnavailableError):
        raise failure.with_outcome("unknown") from failure.__cause__
    raise NotWrittenError("unknown") from failure


class _Write:
    """One write, which may take several requests; all carry the same id."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: AsyncBucket,
        key: str,
        body: bytes,
        base: Written | None,
        content_type: str,
        metadata: Mapping[str, str],
    ) -> None:
        self.bucket = bucket
        self.key = key
        self.body = body
        self.base = base
        self.content_type = content_type
        self.chain = new_chain(base.chain if base else ())
        self.metadata = {**metadata, **to_metadata(self.chain)}
        self.unanswered = False

    async def send(self) -> str:
        return await self.bucket.put(
            self.key,
            self.body,
            condition=Match(self.base.version) if self.base else Absent(),
            content_type=self.content_type,
            metadata=self.metadata,
        )

    def take_note(self, error: SessionBucketError) -> None:
        """Note whether a request of this write may have been done. Raises where the answer settles what became of it."""
        match error:
            case PreconditionFailedError():
                self.unanswered |= error.retried
                if not self.unanswered:
                    raise NotWrittenError("not written") from error
            case StoreUnavailableError():
                self.unanswered |= error.outcome == "unknown"
            case _ if not self.unanswered:
                raise error

    async def resolve(self, failure: SessionBucketError) -> Written | None:
        """What became of the write, or None when it has to be sent again. Raises ``NotWrittenError``."""
        try:
            found = await self.bucket.head(self.key)
        except SessionBucketError:
            return None  # no look, no verdict, whatever kept us from looking
        verdict = judge(self.chain[0], self.base.chain[0] if self.base else None, found)
        match verdict:
            case Verdict.WRITTEN | Verdict.BUILT_UPON:
                logger.warning(
                    "the answer to a save of %r at %s was lost; it had been done",
                    self.key,
                    self.bucket.location,
                )
                return self._written(verdict, found)
            case Verdict.NOT_WRITTEN:
                raise NotWrittenError("not written") from failure
            case Verdict.UNKNOWN:
                raise NotWrittenError("unknown") from failure
            case Verdict.UNCHANGED:
                return None

    def _written(self, verdict: Verdict, found: ObjectInfo | None) -> Written:
        """Where others have built upon the write, its version is no longer there, and the next save on it conflicts."""
        if verdict is Verdict.WRITTEN and found and found.version:
            return Written(found.version, self.chain)
        return Written(version_of(self.body), self.chain)


def base_of(info: ObjectInfo) -> Written:
    """What a write builds on that replaces this object."""
    return Written(info.version or "", chain_of(info))
