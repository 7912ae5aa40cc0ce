# Generated from sessionbucket/_async/sealed_segments.py by scripts/generate_sync.py: do not edit.
"""Sealed segments that no append log names: the rest of an append or a change that was interrupted."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

from sessionbucket._concurrency.threads import gather
from sessionbucket._core.append_logs import (
    HEAD_BYTES,
    decode_head,
    log_key,
    log_of_segment,
    segment_folder,
)
from sessionbucket._core.findings import Finding, Problem
from sessionbucket._sync.documents import DocumentStore
from sessionbucket.errors import ObjectTooLargeError, SessionCorruptedError

_MAY_BE_NAMED = timedelta(days=1)
"""A writer names a segment within minutes. The rest is for processes that were suspended, and for clocks."""
_LOGS_AT_ONCE = 64
_CONCURRENCY = 8


class SealedSegments:
    """The sealed segments of the append logs under one prefix of a document store."""

    def __init__(self, documents: DocumentStore, prefix: str) -> None:
        self._documents = documents
        self._prefix = prefix

    def unnamed(self) -> Generator[Finding, None, None]:
        """Yield the segments that their logs do not name and no append is about to name, and each log that cannot be read.

        Sends one LIST for each 1,000 objects, and one GET of 16 KiB for each log with segments.
        """
        before = datetime.now(UTC) - _MAY_BE_NAMED
        segments: dict[str, list[str]] = {}
        for row in self._documents.list(self._prefix):
            segment = log_of_segment(row.key)
            if segment is None or row.updated_at >= before:
                continue
            name, id = segment
            if len(segments) == _LOGS_AT_ONCE and name not in segments:
                for finding in self._findings(segments):
                    yield finding
                segments = {}
            segments.setdefault(name, []).append(id)
        for finding in self._findings(segments):
            yield finding

    def _findings(self, segments: dict[str, list[str]]) -> list[Finding]:
        calls = [partial(self._findings_of, name, ids) for name, ids in segments.items()]
        return [finding for found in gather(calls, limit=_CONCURRENCY) for finding in found]

    def _findings_of(self, name: str, ids: list[str]) -> list[Finding]:
        try:
            named = self._named_by(name)
        except SessionCorruptedError as error:
            return [Finding(error.key, Problem.CORRUPTED, error.reason, removable=False)]
        except ObjectTooLargeError as error:
            return [Finding(error.key, Problem.CORRUPTED, str(error), removable=False)]
        folder = self._documents.full_key(segment_folder(name) + "x")[:-1]
        detail = "a sealed segment that its log does not name"
        return [Finding(folder + id, Problem.ORPHAN, detail, removable=True) for id in ids if id not in named]

    def named(self, keys: Iterable[str]) -> set[str]:
        """Those of the segments at these keys that their logs name now. Raises ``SessionCorruptedError`` for a log that cannot be read."""
        by_log: dict[str, dict[str, str]] = {}
        for key in keys:
            if segment := log_of_segment(key):
                name, id = segment
                by_log.setdefault(name, {})[id] = key
        found = gather([partial(self._named_by, name) for name in by_log], limit=_CONCURRENCY)
        return {
            segments[id]
            for ids, segments in zip(found, by_log.values(), strict=True)
            for id in ids & segments.keys()
        }

    def _named_by(self, name: str) -> set[str]:
        """The ids of the segments that a log names; none for a log that does not exist."""
        key = log_key(name)
        full = self._documents.full_key(key)
        document = self._documents.get(key, first=HEAD_BYTES)
        head = decode_head(document, full) if document else None
        if document is not None and head is None:
            document = self._documents.get(key)
            head = decode_head(document, full) if document else None
        return {segment.id for segment in head.sealed} if head else set()
