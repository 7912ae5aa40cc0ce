# Generated from sessionbucket/_async/document_copying.py by scripts/generate_sync.py: do not edit.
"""Copying the documents of one integration from one store to another, byte for byte, without replacing anything that differs."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sessionbucket._concurrency.threads import closing, gather
from sessionbucket._core.append_logs import SUFFIX, Segment, decode_log, log_of_segment, segment_folder
from sessionbucket._core.integration_folders import Folder
from sessionbucket._core.objects import is_md5_version
from sessionbucket._core.results import CopyOutcome, CopyResult, Document, DocumentInfo
from sessionbucket._sync.documents import DocumentStore
from sessionbucket._sync.second_listing import SecondListing
from sessionbucket.errors import ConflictError, SessionBucketError, SessionCorruptedError

_SEGMENTS_AT_ONCE = 8
_ATTEMPTS = 3


class DocumentCopier:
    """Copies the documents of one folder. An append log is one document with the sealed segments that it names.

    The segments of a log are written before the log, so the destination has no log whose segments are missing.
    """

    def __init__(
        self,
        name: str,
        folder: Folder,
        source: DocumentStore,
        destination: DocumentStore,
        *,
        overwrite: bool,
        store_errors: tuple[type[SessionBucketError], ...],
    ) -> None:
        """``store_errors`` are raised. Other errors of one document become its result."""
        self._name = name
        self._folder = folder
        self._from = source
        self._to = destination
        self._overwrite = overwrite
        self._store_errors = store_errors

    def count(self) -> int:
        """The number of documents in the source."""
        total = 0
        for info in self._from.list():
            total += not self._is_segment(info.key)
        return total

    def copies(self, total: int) -> Generator[partial[Any], None, None]:
        """Yield a call for each document of the source, which copies it. Both stores are listed side by side."""
        with closing(_keyed(self._to.list())) as others:
            second = SecondListing(others)
            for info in self._from.list():
                if not self._is_segment(info.key):
                    yield partial(self._copy_or_error, info, second.take(info.key), total)

    def _is_segment(self, key: str) -> bool:
        return self._is_of_log(key) and log_of_segment(key) is not None

    def _is_of_log(self, key: str) -> bool:
        return self._folder.logs_under is not None and key.startswith(self._folder.logs_under)

    def _copy_or_error(self, info: DocumentInfo, other: DocumentInfo | None, total: int) -> CopyResult:
        try:
            outcome, detail = self._copy(info, other)
        except self._store_errors:
            raise
        except SessionBucketError as error:
            outcome, detail = "failed", str(error)
        return CopyResult(f"{self._name}/{info.key}", outcome, detail, total, "document")

    def _copy(self, info: DocumentInfo, other: DocumentInfo | None) -> tuple[CopyOutcome, str]:
        if other is not None and self._are_same(info, other):
            return "same", ""
        found = self._from.get(info.key)
        if found is None:
            return "missing", ""
        there = None if other is None else self._to.get(info.key)
        for _ in range(_ATTEMPTS):
            if there is not None and there.body == found.body:
                return "same", ""
            if there is not None and not self._overwrite:
                return "conflict", "the document"
            if self._is_of_log(info.key) and info.key.endswith(SUFFIX):
                found = self._with_segments(found)
            try:
                self._write(found, there)
            except ConflictError as error:
                if error.outcome == "unknown":
                    raise
                there = self._to.get(info.key)
            else:
                return "copied", ""
        return "conflict", "another writer wrote it meanwhile"

    def _are_same(self, info: DocumentInfo, other: DocumentInfo) -> bool:
        """Whether MD5 versions prove that both are the same. The listing of a folder has none, so its document is read."""
        if info.size != other.size:
            return False
        one, two = [
            listed.version or self._version(documents, listed.key)
            for documents, listed in ((self._from, info), (self._to, other))
        ]
        return is_md5_version(one) and one == two

    def _version(self, documents: DocumentStore, key: str) -> str:
        found = documents.get(key)
        return found.version if found else ""

    def _with_segments(self, found: Document) -> Document:
        """Copy the segments that a log names. When one is gone because the log has changed, copy those of the changed log.

        Returns the log whose segments are copied. Raises ``SessionCorruptedError``.
        """
        while True:
            key = self._from.full_key(found.key)
            folder = segment_folder(found.key.removesuffix(SUFFIX))
            missing = self._missing_segments(folder, decode_log(found, key).sealed)
            if not missing:
                return found
            again = self._from.get(found.key)
            if again is None or again.version == found.version:
                raise SessionCorruptedError(
                    key, f"it names a sealed segment {missing[0]} that does not exist"
                )
            found = again

    def _missing_segments(self, folder: str, segments: Sequence[Segment]) -> list[str]:
        """Copy the segments that the destination does not have, and return those that the source does not have."""
        if not segments:
            return []
        present = {info.key for info in self._to.list(folder)}
        keys = [key for segment in segments if (key := folder + segment.id) not in present]
        copied = gather([partial(self._copy_segment, key) for key in keys], limit=_SEGMENTS_AT_ONCE)
        return [key for key, is_copied in zip(keys, copied, strict=True) if not is_copied]

    def _copy_segment(self, key: str) -> bool:
        found = self._from.get(key)
        if found is not None:
            with suppress(ConflictError):  # its name is random, so it is the same segment
                self._write(found, None)
        return found is not None

    def _write(self, found: Document, there: Document | None) -> None:
        """Write the document where none is, or over the one that the destination has. Raises ``ConflictError``."""
        if there is None:
            self._to.put(found.key, found.body, if_absent=True)
        else:
            self._to.update(found.key, lambda _: found.body, seen=there, attempts=1)


def _keyed(
    rows: Generator[DocumentInfo, None, None],
) -> Generator[tuple[str, DocumentInfo], None, None]:
    with closing(rows) as all_rows:
        for info in all_rows:
            yield info.key, info
