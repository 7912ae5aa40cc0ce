"""Copying one session and all its parts from one store to another, without replacing what differs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Literal

from sessionbucket import (
    ArtifactStore,
    FileInfo,
    FileReader,
    SessionConflictError,
    SessionCorruptedError,
    SessionData,
    SessionTooLargeError,
    TraceEvent,
    VerificationReport,
)
from sessionbucket._sync.conditional import NotWrittenError, put_if_unchanged
from sessionbucket.cli.stores import OpenedStore
from sessionbucket.codec import DEFAULT_MAX_BYTES, Codec
from sessionbucket.errors import shorten

Outcome = Literal["copied", "same", "conflict", "missing"]

_CHUNK = 1 << 20
_JSON = "application/json"
_MD5_VERSION = re.compile(r'"[0-9a-f]{32}(-\d+)?"')
_SESSIONS = Codec[SessionData](SessionData)
_PARTS: dict[str, Codec[Any]] = {
    "artifacts": Codec[ArtifactStore](ArtifactStore),
    "traces": Codec[list[TraceEvent]](list[TraceEvent]),
    "verification": Codec[list[VerificationReport]](list[VerificationReport]),
}


class CopyStoppedError(Exception):
    """The copy of a file was called off; nothing of it is in the destination."""


@dataclass(slots=True)
class _Plan:
    """What is to be written, and what of it would replace something else."""

    session: bool = False
    parts: dict[str, bytes] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.session or self.parts or self.files)


class SessionCopier:
    """Copies sessions between two stores; may be used from several threads at once.

    Everything of a session is compared before anything is written: if any of it differs in the destination, all
    of the session there is left alone, unless ``overwrite`` is set. Parts are written before the session object.
    """

    def __init__(self, source: OpenedStore, destination: OpenedStore, *, overwrite: bool) -> None:
        self._source = source
        self._destination = destination
        self._overwrite = overwrite
        self._stopped = Event()

    def stop(self) -> None:
        """Have copies of files that are under way end with ``CopyStoppedError``."""
        self._stopped.set()

    def copy_listed(self, id: str) -> tuple[Outcome, str]:
        """Copy a session as the listing names it, which for some that a3s-code wrote is not by their id."""
        try:
            return self.copy(id)
        except SessionCorruptedError:
            true_id = self._source.reference_id(id)
            if true_id is None:
                raise
        return self.copy(true_id)

    def copy(self, id: str) -> tuple[Outcome, str]:
        """Copy one session; gives the outcome and, of a conflict, what differs.

        Raises the stores' errors; a session or part that is corrupted in the source is not copied, and nothing of it.
        """
        session = self._source.store.load(id)
        if session is None:
            return "missing", ""
        plan = _Plan()
        self._plan_session(plan, session)
        self._plan_parts(plan, id)
        self._plan_files(plan, id)
        if plan.differing and not self._overwrite:
            return "conflict", ", ".join(plan.differing)
        if plan.is_empty:
            return "same", ""
        try:
            self._write(plan, session)
        except SessionConflictError as error:
            if error.outcome == "unknown":
                raise
            return "conflict", "someone else wrote it meanwhile"
        return "copied", ""

    def _plan_session(self, plan: _Plan, session: SessionData) -> None:
        try:
            there = self._destination.store.load(session.id)
        except (SessionCorruptedError, SessionTooLargeError):
            plan.differing.append("the session, which cannot be read there")
        else:
            if there is not None and _encoded(there) == _encoded(session):
                return
            if there is not None:
                plan.differing.append("the session")
        plan.session = True

    def _plan_parts(self, plan: _Plan, id: str) -> None:
        # Parts are copied as they lie, since a load of artifacts leaves out those above its limits.
        source_keys, destination_keys = self._source.keys(id), self._destination.keys(id)
        for name, codec in _PARTS.items():
            key = getattr(source_keys, name)
            found = self._source.bucket.get(key, max_bytes=DEFAULT_MAX_BYTES)
            if found is None:
                continue
            codec.decode(found.body, key=key)
            there = self._part_there(getattr(destination_keys, name))
            if there is not None and _same_json(found.body, there):
                continue
            if there is not None:
                plan.differing.append(name)
            plan.parts[name] = found.body

    def _part_there(self, key: str) -> bytes | None:
        try:
            found = self._destination.bucket.get(key, max_bytes=DEFAULT_MAX_BYTES)
        except SessionTooLargeError:
            return b""
        return found.body if found else None

    def _plan_files(self, plan: _Plan, id: str) -> None:
        files = self._source.store.list_files(id)
        if not files:
            return
        there = {file.name: file for file in self._destination.store.list_files(id)}
        for file in files:
            other = there.get(file.name)
            if other is not None and self._same_file(id, file, other):
                continue
            if other is not None:
                plan.differing.append(f"file {shorten(file.name)}")
            plan.files.append(file.name)

    def _same_file(self, id: str, file: FileInfo, other: FileInfo) -> bool:
        if file.size != other.size:
            return False
        if file.version == other.version and _MD5_VERSION.fullmatch(file.version or ""):
            return True
        with (
            self._source.store.open_file(id, file.name) as one,
            self._destination.store.open_file(id, file.name) as two,
        ):
            while chunk := one.read(_CHUNK):
                self._check_not_stopped()
                if chunk != two.read(_CHUNK):
                    return False
            return not two.read(1)

    def _write(self, plan: _Plan, session: SessionData) -> None:
        for name in plan.files:
            with self._source.store.open_file(session.id, name) as reader:
                self._destination.store.put_file(
                    session.id, name, self._chunks(reader), content_type=reader.content_type
                )
        for name, body in plan.parts.items():
            self._put_part(session.id, name, body)
        if plan.session:
            self._destination.store.save(session, overwrite=self._overwrite)

    def _put_part(self, id: str, name: str, body: bytes) -> None:
        bucket, key = self._destination.bucket, getattr(self._destination.layout.keys(id), name)
        if self._overwrite or bucket.conditional_writes == "off":
            bucket.put(key, body, content_type=_JSON)
            return
        try:
            put_if_unchanged(bucket.inner, key, body, None, content_type=_JSON)
        except NotWrittenError as error:
            raise SessionConflictError(
                id, key=key, location=bucket.location, outcome=error.outcome
            ) from error.__cause__

    def _chunks(self, reader: FileReader) -> Iterator[bytes]:
        for chunk in reader:
            self._check_not_stopped()
            yield chunk

    def _check_not_stopped(self) -> None:
        if self._stopped.is_set():
            raise CopyStoppedError


def _encoded(session: SessionData) -> bytes:
    return _SESSIONS.encode(session, key=session.id)


def _same_json(one: bytes, two: bytes) -> bool:
    """Whether two texts hold the same values in the same order, however they are set out."""
    if one == two:
        return True
    try:
        return json.dumps(json.loads(one)) == json.dumps(json.loads(two))
    except (ValueError, RecursionError):
        return False
