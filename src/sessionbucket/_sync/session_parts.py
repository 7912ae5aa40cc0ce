"""What belongs to a session beside it: artifacts, trace events, verification reports."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from sessionbucket._codec import Codec
from sessionbucket._concurrency.threads import sleep
from sessionbucket._core import body_checksum as seal
from sessionbucket._core.keys import Layout, SessionKeys
from sessionbucket._core.objects import JSON, StoredObject
from sessionbucket._core.retry import turn
from sessionbucket._sync.bucket_listing import pages
from sessionbucket._sync.documents import NotWrittenError, base_of, put_if_unchanged
from sessionbucket._sync.legacy_names import ReferenceNames
from sessionbucket._sync.trust import Trust
from sessionbucket._sync.wrappers.retrying import SteadyBucket
from sessionbucket.errors import InvalidArgumentError, SessionConflictError

if TYPE_CHECKING:
    from sessionbucket.models import ArtifactStore, TraceEvent, VerificationReport

logger = logging.getLogger(__name__)

PartT = TypeVar("PartT")


class SessionParts:
    """Loads and saves the parts of sessions, each one object of JSON."""

    def __init__(
        self,
        bucket: SteadyBucket,
        layout: Layout,
        reference: ReferenceNames,
        trust: Trust,
        max_bytes: int,
    ) -> None:
        self._bucket = bucket
        self._layout = layout
        self._reference = reference
        self._trust = trust
        self._max_bytes = max_bytes

    # Made when first needed, since each loads its models.

    @cached_property
    def _artifacts(self) -> Codec[ArtifactStore]:
        from sessionbucket.models.artifacts import ArtifactStore  # noqa: PLC0415

        return Codec[ArtifactStore](ArtifactStore, max_bytes=self._max_bytes)

    @cached_property
    def _traces(self) -> Codec[list[TraceEvent]]:
        from sessionbucket.models.traces import TraceEvent  # noqa: PLC0415

        return Codec[list[TraceEvent]](list[TraceEvent], max_bytes=self._max_bytes)

    @cached_property
    def _verification(self) -> Codec[list[VerificationReport]]:
        from sessionbucket.models.verification import VerificationReport  # noqa: PLC0415

        return Codec[list[VerificationReport]](list[VerificationReport], max_bytes=self._max_bytes)

    def save_artifacts(self, id: str, artifacts: ArtifactStore) -> None:
        self._save(self._layout.keys(id).artifacts, self._artifacts, artifacts)

    def load_artifacts(self, id: str) -> ArtifactStore | None:
        return self._load(id, lambda keys: keys.artifacts, self._artifacts)

    def save_trace_events(self, id: str, events: Sequence[TraceEvent]) -> None:
        self._save(self._layout.keys(id).traces, self._traces, list(events))

    def load_trace_events(self, id: str) -> list[TraceEvent] | None:
        return self._load(id, lambda keys: keys.traces, self._traces)

    def save_verification_reports(self, id: str, reports: Sequence[VerificationReport]) -> None:
        self._save(self._layout.keys(id).verification, self._verification, list(reports))

    def load_verification_reports(self, id: str) -> list[VerificationReport] | None:
        return self._load(id, lambda keys: keys.verification, self._verification)

    def append_trace_events(self, id: str, events: Sequence[TraceEvent], attempts: int) -> None:
        """Read, append, and write if nobody else wrote meanwhile; else start over."""
        if attempts < 1:
            raise InvalidArgumentError(f"attempts {attempts} is refused: it must be at least 1")
        if not events:
            return
        key = self._layout.keys(id).traces
        if not self._trust.conditional():
            before = self.load_trace_events(id) or []
            self.save_trace_events(id, [*before, *events])
            return
        for attempt in range(1, attempts + 1):
            begun = time.monotonic()
            found = self._find(id, lambda keys: keys.traces)
            before = _decode(self._traces, found) if found else []
            base = base_of(found.info) if found and found.info.key == key else None
            body = self._traces.encode([*before, *events], key=key)
            try:
                put_if_unchanged(
                    self._bucket.inner, key, body, base, content_type=JSON, metadata=seal.to_metadata(body)
                )
            except NotWrittenError as error:
                if error.outcome == "unknown" or attempt == attempts:
                    raise SessionConflictError(
                        id, key=key, location=self._bucket.location, outcome=error.outcome, attempts=attempt
                    ) from error.__cause__
            else:
                return
            logger.warning("someone else appended to %r meanwhile; attempt %d", key, attempt)
            sleep(turn(attempt, begun))

    def delete(self, keys: SessionKeys) -> None:
        """Delete every part of a session."""
        found = [keys.traces, keys.verification]
        for infos in pages(self._bucket, keys.artifacts_folder):
            found += [info.key for info in infos]
        self._bucket.delete(found)

    def _save(self, key: str, codec: Codec[PartT], part: PartT) -> None:
        body = codec.encode(part, key=key)
        self._bucket.put(key, body, content_type=JSON, metadata=seal.to_metadata(body))

    def _load(self, id: str, choose: Callable[[SessionKeys], str], codec: Codec[PartT]) -> PartT | None:
        found = self._find(id, choose)
        return _decode(codec, found) if found else None

    def _find(self, id: str, choose: Callable[[SessionKeys], str]) -> StoredObject | None:
        """The part under the session's own key, or where a3s-code left it."""
        found = self._bucket.get(choose(self._layout.keys(id)), max_bytes=self._max_bytes)
        if found is None and (elsewhere := self._reference.find(id)):
            found = self._bucket.get(choose(elsewhere[0]), max_bytes=self._max_bytes)
        return found


def _decode(codec: Codec[PartT], found: StoredObject) -> PartT:
    return codec.decode(found.body, key=found.info.key, is_printed=seal.is_sealed(found))
