# Generated from sessionbucket/_async/v1_snapshots.py by scripts/generate_sync.py: do not edit.
"""Sessions in the v1 layout of a3s-code 5.0 and later: one snapshot of a session with all its parts. They are only read."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Self

from sessionbucket._codec.text import UnreadableTextError
from sessionbucket._codec.top_level_members import top_level_members
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import ObjectInfo, StoredObject
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.bucket_listing import list_pages
from sessionbucket.errors import (
    InvalidSessionIdError,
    NotSupportedError,
    ObjectTooLargeError,
    SessionCorruptedError,
    SessionTooLargeError,
    shorten,
)

Rows = list[ObjectInfo]  # inside the class, ``list`` is the method
_SCHEMA_VERSION = b"1"
_ENCRYPTED = b"A3SE\x01"
_MEMBERS = {
    "traces": "trace_events",
    "verification": "verification_reports",
    "runs": "run_records",
    "subagent_tasks": "subagent_tasks",
}
"""The parts by name, and their members in a snapshot."""


class SnapshotSession(StoredObject):
    """A session of the v1 layout, with the body that it would have as an object of its own.

    ``info`` describes the object that contains it. ``parts`` has the bodies of its parts by name; it is None for a session that is
    no snapshot and has its parts in objects of their own.
    """

    id: str
    parts: Mapping[str, bytes] | None

    def __new__(cls, info: ObjectInfo, body: bytes, id: str, parts: Mapping[str, bytes] | None) -> Self:
        made = super().__new__(cls, info, body)
        made.id = id
        made.parts = parts
        return made


class V1Snapshots:
    """Finds and lists the sessions of the v1 layout.

    In a folder they come before the sessions of the older layout, because a3s-code keeps the older files when it is upgraded.
    In a bucket they come after it, so that only a missing session costs requests.
    """

    def __init__(self, bucket: Bucket, keys: StoreKeys, max_bytes: int) -> None:
        self._bucket = bucket
        self._keys = keys
        self._max_bytes = max_bytes
        self._is_present: bool | None = None

    @property
    def come_first(self) -> bool:
        """Whether these sessions precede those of the older layout."""
        return self._bucket.capabilities.is_folder

    def are_present(self) -> bool:
        """Whether there are sessions of this layout. A bucket is listed once, a folder each time."""
        if self._is_present is None or self.come_first:
            self._is_present = False
            for page in list_pages(self._bucket, self._keys.v1_sessions):
                if any(self._keys.v1_session_id(info.key) is not None for info in page.objects):
                    self._is_present = True
                    break
        return self._is_present

    def list(self, prefix: str = "") -> dict[str, ObjectInfo]:
        """The sessions whose ids start with ``prefix``, by id. Costs at most one request when there are none."""
        if not self.come_first and not self.are_present():
            return {}
        found: dict[str, ObjectInfo] = {}
        for page in list_pages(self._bucket, self._keys.v1_sessions):
            for info in page.objects:
                id = self._keys.v1_session_id(info.key)
                if id is not None and id.startswith(prefix):
                    found[id] = info
        return found

    def rows(self, prefix: str = "") -> Rows:
        """The sessions whose ids start with ``prefix`` as rows of a listing, in order, with the keys of their encoded ids.

        A row has no version, because that of the object is a version of more than the session. Ids that a store refuses are left out.
        """
        found: dict[str, ObjectInfo] = {}
        for id, info in (self.list(prefix)).items():
            with suppress(InvalidSessionIdError):
                key = self._keys.of_session(id).session
                found[key] = info._replace(key=key, version=None)
        return [found[key] for key in sorted(found)]

    def find_first(self, id: str) -> SnapshotSession | None:
        """The session, in a folder. Sends no request to a bucket."""
        return self.get(id) if self.come_first else None

    def find_last(self, id: str) -> SnapshotSession | None:
        """The session, in a bucket that has no other session with this id."""
        if self.come_first or not self.are_present():
            return None
        return self.get(id)

    def head(self, id: str) -> ObjectInfo | None:
        """The object that contains the session."""
        if not self.come_first and not self.are_present():
            return None
        return self._bucket.head(self._keys.v1_session(id))

    def exists(self, id: str) -> bool:
        """Whether the session exists."""
        if not self.come_first and not self.are_present():
            return False
        return self._bucket.exists(self._keys.v1_session(id))

    def get(self, id: str) -> SnapshotSession | None:
        """The session by its id. Raises ``SessionCorruptedError`` for an object that is none, and ``SessionTooLargeError``."""
        found = self._get(self._keys.v1_session(id))
        if found is None:
            return None
        members = _members(found)
        if members.keys().isdisjoint(("schema_version", "session")):
            return SnapshotSession(found.info, found.body, id, None)
        if members.get("schema_version") != _SCHEMA_VERSION:
            raise SessionCorruptedError(
                found.info.key,
                "it is a snapshot of a schema version other than 1, which this release does not read",
            )
        if "session" not in members:
            raise SessionCorruptedError(found.info.key, "missing member 'session'")
        parts = {name: members[member] for name, member in _MEMBERS.items() if member in members}
        if "artifacts" in members:
            retained = members.get("retained_artifact_uris", b"[]")
            parts["artifacts"] = _manifest(members["artifacts"], retained)
        return SnapshotSession(found.info._replace(metadata={}), members["session"], id, parts)

    def get_part(self, session: SnapshotSession, name: str) -> StoredObject | None:
        """The part of a session with the body that it would have as an object of its own."""
        if session.parts is None:
            return self._get(self._keys.v1_part(name, session.id))
        body = session.parts.get(name)
        return None if body is None else StoredObject(session.info, body)

    def _get(self, key: str) -> StoredObject | None:
        try:
            found = self._bucket.get(key, max_bytes=self._max_bytes)
        except ObjectTooLargeError as error:
            raise SessionTooLargeError(error.key, size=error.size, limit=error.limit) from error.__cause__
        if found is not None and found.body.startswith(_ENCRYPTED):
            raise SessionCorruptedError(key, "a3s-code has encrypted it, and only a3s-code can read it")
        return found

    def check_writable(self) -> None:
        """Raises ``NotSupportedError`` in a folder that has sessions of this layout. Sends no request to a bucket."""
        if self.come_first and self.are_present():
            raise self._refusal("this folder is")

    def check_deletable(self, id: str) -> None:
        """Raises ``NotSupportedError`` in a folder that has sessions of this layout, and in a bucket when this session is one."""
        self.check_writable()
        if not self.come_first and self.exists(id):
            raise self._refusal(f"session {shorten(id)} is")

    def _refusal(self, subject: str) -> NotSupportedError:
        location = self._keys.location(self._bucket.location)
        return NotSupportedError(
            f"{location}: {subject} in the v1 layout of a3s-code 5.0 and later (v1/sessions/), which is only read here; import its "
            "sessions into another store with copy_sessions() or `sessionbucket cp`, and write there; nothing was changed"
        )


def _members(found: StoredObject) -> dict[str, bytes]:
    try:
        return top_level_members(found.body)
    except UnreadableTextError as error:
        problem = str(error)
    raise SessionCorruptedError(found.info.key, problem)


def _manifest(artifacts: bytes, retained: bytes) -> bytes:
    """The body of an artifact manifest, indented by two spaces."""
    lines = [b'{\n  "artifacts": ' + artifacts.replace(b"\n", b"\n  ")]
    if retained != b"[]":
        lines.append(b'  "retained_uris": ' + retained.replace(b"\n", b"\n  "))
    return b",\n".join(lines) + b"\n}"
