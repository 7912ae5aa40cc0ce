# Generated from sessionbucket/_async/store_check.py by scripts/generate_sync.py: do not edit.
"""Checks of a store: that it can be used (health), that every session is valid, and that nothing of a write is left over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from sessionbucket._concurrency.threads import gather
from sessionbucket._core.arguments import close_coroutine
from sessionbucket._core.findings import Finding, Problem
from sessionbucket._core.integration_folders import FOLDERS
from sessionbucket._core.inventory import JSON_PARTS
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import PAGE_LIMIT, ObjectInfo, StoredObject
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.bucket_listing import list_pages
from sessionbucket._sync.documents import DocumentStore
from sessionbucket._sync.legacy_names import inner_id
from sessionbucket._sync.sealed_segments import SealedSegments
from sessionbucket._sync.session_parts import SessionParts
from sessionbucket._sync.session_reader import SessionReader
from sessionbucket._sync.v1_snapshots import V1Snapshots
from sessionbucket.errors import (
    AccessDeniedError,
    InvalidArgumentError,
    InvalidSessionIdError,
    NotSupportedError,
    SessionBucketError,
    SessionCorruptedError,
    SessionTooLargeError,
    StorageError,
    StoreUnavailableError,
)

logger = logging.getLogger(__name__)

_CONCURRENCY = 8
_MAY_BE_IN_USE = timedelta(hours=1)
_HEALTH_BODY = b"ok"
_TEMPORARY_FOLDERS = ("health/", "probe/")  # beside them are the catalog and the leases, which stay


class StoreCheck:
    """Reads every session of a store, and lists everything else."""

    def __init__(  # noqa: PLR0917
        self,
        bucket: Bucket,
        keys: StoreKeys,
        v1: V1Snapshots,
        reader: SessionReader[Any],
        parts: SessionParts,
        documents: Callable[[str], DocumentStore],
    ) -> None:
        """``documents`` opens the folder of an integration."""
        self._bucket = bucket
        self._keys = keys
        self._v1 = v1
        self._reader = reader
        self._parts = parts
        self._documents = documents
        self._stems: set[str] = set()
        self._folders: set[str] = set()

    def findings(
        self, on_session: Callable[[StoredObject], object] | None = None
    ) -> Generator[Finding, None, None]:
        """Yield the problems, in the order in which they are found. ``on_session`` gets the object of each session."""
        for findings in (
            self._check_sessions(on_session),
            self._check_snapshots(),
            self._parts_without_session(),
            self._unnamed_segments(),
            self._stale_temporary_objects(),
        ):
            for finding in findings:
                yield finding

    def _check_sessions(
        self, on_session: Callable[[StoredObject], object] | None
    ) -> Generator[Finding, None, None]:
        for page in list_pages(self._bucket, self._keys.root, delimiter="/"):
            self._folders.update(page.folders)
            for at in range(0, len(page.objects), PAGE_LIMIT):
                some = page.objects[at : at + PAGE_LIMIT]
                sessions = [info for info in some if self._keys.session_id(info.key) is not None]
                self._stems.update(self._keys.stem(info.key) for info in sessions)
                calls = [partial(self._check_session, info, on_session) for info in sessions]
                for finding in gather(calls, limit=_CONCURRENCY):
                    if finding:
                        yield finding

    def _parts_without_session(self) -> Generator[Finding, None, None]:
        for folder in self._keys.part_folders:
            for page in list_pages(self._bucket, folder):
                for info in page.objects:
                    if self._keys.part_stem(info.key) not in self._stems:
                        yield Finding(info.key, Problem.ORPHAN, "a part without its session", removable=False)

    def _unnamed_segments(self) -> Generator[Finding, None, None]:
        for folder, segments in self._sealed_segments().items():
            if folder in self._folders:
                for finding in segments.unnamed():
                    yield finding

    def _sealed_segments(self) -> dict[str, SealedSegments]:
        """The sealed segments in the folders of the integrations, by the prefix of their keys."""
        return {
            f"{self._keys.root}{name}/": SealedSegments(self._documents(name), folder.logs_under)
            for name, folder in FOLDERS.items()
            if folder.logs_under is not None
        }

    def _check_session(
        self, info: ObjectInfo, on_session: Callable[[StoredObject], object] | None
    ) -> Finding | None:
        try:
            found = self._reader.get(info.key)
            if found is not None:
                if on_session is not None and close_coroutine(on_session(found)):
                    raise InvalidArgumentError("on_session is refused: it must not be async")
                id = self._expected_id(found)
                self._reader.decode(id, found)
                self._stems.add(self._keys.of_session(id).stem)  # files are always under the encoded id
        except SessionCorruptedError as error:
            return Finding(info.key, Problem.CORRUPTED, error.reason, removable=False)
        except SessionTooLargeError as error:
            return Finding(info.key, Problem.CORRUPTED, str(error), removable=False)
        return None

    def _check_snapshots(self) -> Generator[Finding, None, None]:
        """Check the sessions of the v1 layout, with their parts."""
        listed = self._v1.list()
        calls = [partial(self._check_snapshot, id, info.key) for id, info in listed.items()]
        for finding in gather(calls, limit=_CONCURRENCY):
            if finding:
                yield finding

    def _check_snapshot(self, id: str, key: str) -> Finding | None:
        try:
            self._stems.add(self._keys.of_session(id).stem)
            session = self._v1.get(id)
            if session is not None:
                self._reader.decode(id, session)
                for name in JSON_PARTS:
                    part = self._v1.get_part(session, name)
                    if part is not None:
                        self._parts.validate(name, part)
        except SessionCorruptedError as error:
            return Finding(error.key, Problem.CORRUPTED, error.reason, removable=False)
        except (SessionTooLargeError, InvalidSessionIdError) as error:
            return Finding(key, Problem.CORRUPTED, str(error), removable=False)
        return None

    def _expected_id(self, found: StoredObject) -> str:
        """The id that the object must contain: that of its key, or one whose legacy name the key is."""
        inside = inner_id(found.body)
        if isinstance(inside, str) and self._keys.is_legacy_key(inside, found.info.key):
            return inside
        return self._keys.session_id(found.info.key) or ""

    def _stale_temporary_objects(self) -> Generator[Finding, None, None]:
        """Yield the objects of interrupted probes, health checks and writes that are too old to be in use."""
        before = datetime.now(UTC) - _MAY_BE_IN_USE
        for folder in _TEMPORARY_FOLDERS:
            for page in list_pages(self._bucket, self._keys.bookkeeping + folder):
                for info in page.objects:
                    if info.updated_at < before:
                        yield Finding(info.key, Problem.STALE, "an interrupted probe", removable=True)
        for info in self._temporary_objects():
            if info.updated_at < before:
                yield Finding(info.key, Problem.STALE, "an interrupted write", True, info.version)

    def _temporary_objects(self) -> list[ObjectInfo]:
        """The temporary objects of the store. None where the credentials may not list them, since few roles may."""
        try:
            return self._bucket.temporary_objects(self._keys.root)
        except (AccessDeniedError, NotSupportedError) as error:
            logger.warning("unfinished uploads were not checked: %s", error)
            return []

    def repair(self, findings: Sequence[Finding]) -> list[Finding]:
        """Delete the removable findings, and return them. A segment that a log names by now stays."""
        removable = [finding for finding in findings if finding.removable]
        for folder, segments in self._sealed_segments().items():
            keys = [each.key.removeprefix(folder) for each in removable if each.key.startswith(folder)]
            named = {folder + key for key in segments.named(keys)}
            removable = [finding for finding in removable if finding.key not in named]
        uploads = [
            ObjectInfo(finding.key, 0, datetime.now(UTC), finding.upload_id)
            for finding in removable
            if finding.upload_id is not None
        ]
        keys = [finding.key for finding in removable if finding.upload_id is None]
        if keys:
            self._bucket.delete(keys)
        if uploads:
            self._bucket.remove_temporary(uploads)
        return removable


def check_health(bucket: Bucket, keys: StoreKeys) -> None:
    """List, write, read and delete under the prefix. Raises the error of the step that failed, and names the step."""
    key = f"{keys.bookkeeping}health/{uuid4().hex}"
    with _step("list", bucket.location, keys.root):
        bucket.list_page(keys.root, delimiter="/", limit=1)
    with _step("write", bucket.location, key):
        bucket.put(key, _HEALTH_BODY)
    try:
        with _step("read", bucket.location, key):
            found = bucket.get(key, max_bytes=1024)
            if found is None or found.body != _HEALTH_BODY:
                raise StoreUnavailableError(
                    "a read returned another body than the write before it", location=bucket.location, key=key
                )
    finally:
        with _step("delete", bucket.location, key):
            bucket.delete([key])


@contextmanager
def _step(name: str, location: str, key: str) -> Iterator[None]:
    try:
        yield
    except SessionBucketError as error:
        kind = type(error) if isinstance(error, StorageError) else StoreUnavailableError
        reason = error.reason if isinstance(error, StorageError) else str(error)
        raise kind(
            f"the health check could not {name} under the prefix: {reason}", location=location, key=key
        ) from error.__cause__
