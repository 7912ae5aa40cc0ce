"""Copying one session and all its parts from one store to another, without replacing what differs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Any, Literal, TypeVar

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
from sessionbucket._codec import Codec
from sessionbucket._core.file_sources import CHUNK
from sessionbucket._core.inventory import FILES, JSON_PARTS, Inventory
from sessionbucket._core.objects import StoredObject
from sessionbucket.cli.stores import OpenedStore
from sessionbucket.errors import shorten

Outcome = Literal["copied", "same", "conflict", "missing"]
T = TypeVar("T")

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
    is_new: bool = False
    parts: dict[str, bytes] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.session or self.parts or self.files)


class SessionCopier:
    """Copies sessions between two stores; may be used from several threads at once.

    Everything of a session is compared before anything is written: if any of it differs in the destination, all
    of the session there is left alone, unless ``overwrite`` is set. Parts are written before the session object, at the
    same time as far as ``pool`` has threads, which must be no threads that copy sessions.

    Bodies are copied as they lie. What the inventories show is not asked for again: a part that an unchanged session
    did not have when it was listed, whether something is there that will be written only if it is not, and what is there
    with the same MD5.
    """

    def __init__(
        self,
        source: OpenedStore,
        destination: OpenedStore,
        *,
        overwrite: bool,
        pool: ThreadPoolExecutor,
        inventories: tuple[Inventory, Inventory] | None = None,
    ) -> None:
        """``inventories`` are those of the source and of the destination, where all of it is copied."""
        self._source = source.store
        self._destination = destination.store
        self._from = source.store.bodies
        self._to = destination.store.bodies
        self._reference_id = source.reference_id
        self._overwrite = overwrite
        self._pool = pool
        self._listed_here = inventories[0] if inventories else None
        self._listed_there = inventories[1] if inventories else None
        self._stopped = Event()

    def stop(self) -> None:
        """Have copies of files that are under way end with ``CopyStoppedError``."""
        self._stopped.set()

    def copy_listed(self, id: str) -> tuple[Outcome, str]:
        """Copy a session as the listing names it, which for some that a3s-code wrote is not by their id."""
        try:
            return self.copy(id)
        except SessionCorruptedError:
            true_id = self._reference_id(id)
            if true_id is None:
                raise
        return self.copy(true_id)

    def copy(self, id: str) -> tuple[Outcome, str]:
        """Copy one session; gives the outcome and, of a conflict, what differs.

        Raises the stores' errors; a session or part that is corrupted in the source is not copied, and nothing of it.
        """
        found = self._from.session(id)
        if found is None:
            return "missing", ""
        there = self._listed_there if self._to.are_conditional else None
        outcome = self._copy_found(id, found, there)
        if outcome[0] == "conflict" and there is not None:
            return self._copy_found(id, found, None)  # what was not there when it was listed may be by now
        return outcome

    def _copy_found(self, id: str, found: StoredObject, there: Inventory | None) -> tuple[Outcome, str]:
        plan = _Plan()
        self._plan_session(plan, id, found, there)
        self._plan_parts(plan, id, found, there)
        self._plan_files(plan, id, found)
        if plan.differing and not self._overwrite:
            return "conflict", ", ".join(plan.differing)
        if plan.is_empty:
            return "same", ""
        try:
            self._write(plan, id, found)
        except SessionConflictError as error:
            if error.outcome == "unknown":
                raise
            return "conflict", "someone else wrote it meanwhile"
        return "copied", ""

    def _plan_session(self, plan: _Plan, id: str, found: StoredObject, there: Inventory | None) -> None:
        if there is not None and self._to.is_new(id, there):
            plan.session = plan.is_new = True
            return
        if there is not None and there.has_session(self._to.stem(id), found.info.version):
            return
        try:
            other = self._to.session(id)
        except (SessionCorruptedError, SessionTooLargeError):
            plan.differing.append("the session, which cannot be read there")
        else:
            if other is not None and _same_session(found, other):
                return
            if other is not None:
                plan.differing.append("the session")
        plan.session = True

    def _plan_parts(self, plan: _Plan, id: str, found: StoredObject, there: Inventory | None) -> None:
        stem = self._from.stem_of(found)
        names = [name for name in JSON_PARTS if not self._source_lacks(name, stem, found)]
        compared = self._at_once(partial(self._compare_part, name, id, found, there) for name in names)
        for name, (body, is_there) in zip(names, compared, strict=True):
            if body is not None:
                plan.parts[name] = body
                if is_there:
                    plan.differing.append(name)

    def _compare_part(
        self, name: str, id: str, session: StoredObject, there: Inventory | None
    ) -> tuple[bytes | None, bool]:
        """The body that is to be written, if any, and whether there is another in its place."""
        # As it lies, since a load of artifacts leaves out those above its limits.
        found = self._from.part(name, self._from.stem_of(session))
        if found is None:
            return None, False
        _PARTS[name].decode(found.body, key=found.info.key)
        stem = self._to.stem(id)
        if there is not None and there.lacks_part(name, stem):
            return found.body, False
        if there is not None and there.has_part(name, stem, found.info.version):
            return None, True
        try:
            other = self._to.part(name, stem)
        except SessionTooLargeError:
            return found.body, True
        if other is None:
            return found.body, False
        return (None, True) if _same_json(found.body, other.body) else (found.body, True)

    def _plan_files(self, plan: _Plan, id: str, found: StoredObject) -> None:
        if self._source_lacks(FILES, self._from.stem(id), found):
            return
        files = self._source.list_files(id)
        if not files:
            return
        # Files are put unconditionally, so what is there is looked at just before.
        there = {file.name: file for file in self._destination.list_files(id)}
        same = self._at_once(partial(self._is_same_file, id, file, there.get(file.name)) for file in files)
        for file, is_same in zip(files, same, strict=True):
            if not is_same:
                plan.files.append(file.name)
                if file.name in there:
                    plan.differing.append(f"file {shorten(file.name)}")

    def _source_lacks(self, name: str, stem: str, session: StoredObject) -> bool:
        """Whether the session has no such part; one that was changed since it was listed may have got it."""
        listed = self._listed_here
        return (
            listed is not None
            and listed.is_unchanged(self._from.stem_of(session), session.info)
            and listed.lacks_part(name, stem)
        )

    def _is_same_file(self, id: str, file: FileInfo, other: FileInfo | None) -> bool:
        if other is None or file.size != other.size:
            return False
        if file.version == other.version and _MD5_VERSION.fullmatch(file.version or ""):
            return True
        with (
            self._source.open_file(id, file.name) as one,
            self._destination.open_file(id, file.name) as two,
        ):
            while chunk := one.read(CHUNK):
                self._check_not_stopped()
                if chunk != two.read(CHUNK):
                    return False
            return not two.read(1)

    def _write(self, plan: _Plan, id: str, found: StoredObject) -> None:
        writes: list[Callable[[], None]] = [partial(self._copy_file, id, name) for name in plan.files]
        for name, body in plan.parts.items():
            writes.append(partial(self._to.put_part, id, name, body, overwrite=self._overwrite))
        self._at_once(writes)
        if plan.session:
            self._to.put_session(id, found.body, overwrite=self._overwrite, is_new=plan.is_new)

    def _copy_file(self, id: str, name: str) -> None:
        self._check_not_stopped()
        with self._source.open_file(id, name) as reader:
            self._destination.put_file(id, name, self._chunks(reader), content_type=reader.content_type)

    def _chunks(self, reader: FileReader) -> Iterator[bytes]:
        for chunk in reader:
            self._check_not_stopped()
            yield chunk

    def _check_not_stopped(self) -> None:
        if self._stopped.is_set():
            raise CopyStoppedError

    def _at_once(self, calls: Iterable[Callable[[], T]]) -> list[T]:
        """What the calls give, in order. The first error is raised after all have ended."""
        made = list(calls)
        if len(made) == 1:
            return [made[0]()]
        futures = [self._pool.submit(call) for call in made]
        wait(futures)
        return [future.result() for future in futures]


def _same_session(one: StoredObject, two: StoredObject) -> bool:
    return one.body == two.body or _canonical(one) == _canonical(two)


def _canonical(found: StoredObject) -> bytes:
    key = found.info.key
    return _SESSIONS.encode(_SESSIONS.decode(found.body, key=key), key=key)


def _same_json(one: bytes, two: bytes) -> bool:
    """Whether two texts hold the same values in the same order, however they are set out."""
    if one == two:
        return True
    try:
        return json.dumps(json.loads(one)) == json.dumps(json.loads(two))
    except (ValueError, RecursionError):
        return False
