"""Reading one listed session with its trace events, whatever its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic_core import from_json

from sessionbucket import (
    InvalidSessionIdError,
    ListedObject,
    SessionCorruptedError,
    SessionStore,
    SessionTooLargeError,
    StoredObject,
)
from sessionbucket.export.rows import Rows, rows_of_other, rows_of_session
from sessionbucket.models import AnySession

NO_PART = ""
"""The token of a part that does not exist."""

_UNREADABLE = (SessionCorruptedError, SessionTooLargeError, InvalidSessionIdError)
"""What is wrong with one session. Any other error would meet the next one, too."""


class ListedSession(NamedTuple):
    """A session in the listing of a range, and the token of its trace events."""

    session: ListedObject
    traces: str | None


class Entry(NamedTuple):
    """A session in a manifest: its encoded id, its token, and that of its trace events."""

    stem: str
    token: str | None
    traces: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A session as it was read. ``entry`` is None for one whose next export must read it again; ``problem`` says why."""

    id: str
    rows: Rows
    size: int
    entry: Entry | None
    problem: str | None = None


class SessionReading:
    """Reads the sessions of a store. One serves any number of threads."""

    def __init__(self, store: SessionStore, others: SessionStore[AnySession]) -> None:
        """``others`` is the same store, for sessions of any model."""
        self._raw = store.raw
        self._others = others.raw
        self._keeps_etags = store.bucket.capabilities.keeps_metadata

    def read(self, listed: ListedSession) -> Reading | None:
        """Read a listed session; None when it was deleted meanwhile. Raises the errors that concern the whole store."""
        id, stem, token = listed.session
        try:
            found = self._raw.get(id)
        except _UNREADABLE as error:
            return Reading(id, {}, 0, None, str(error))
        if found is None:
            return None
        events, traces, problem = self._events(listed, found)
        try:
            rows = self._rows(found, events)
        except SessionCorruptedError as error:
            return Reading(id, {}, 0, None, str(error))
        entry = None if problem else Entry(stem, self._token(token, found), traces)
        return Reading(id, rows, len(found.body), entry, problem)

    def _events(
        self, listed: ListedSession, session: StoredObject
    ) -> tuple[list[dict[str, Any]], str | None, str | None]:
        """The trace events, their token, and why they cannot be read."""
        if listed.traces == NO_PART and self._keeps_etags and listed.session.token is not None:
            return [], NO_PART, None
        try:
            found = self._raw.get_valid_part("traces", session)
        except _UNREADABLE as error:
            return [], None, str(error)
        if found is None:
            return [], NO_PART, None
        events: list[dict[str, Any]] = from_json(found.body)
        if found.info.key == session.info.key:  # a snapshot, whose token is that of the session
            return events, NO_PART, None
        return events, self._token(listed.traces or None, found), None

    def _token(self, listed: str | None, found: StoredObject) -> str | None:
        """The token of the contents that were read, which may be newer than the listing."""
        return found.info.version if listed is not None and self._keeps_etags else listed

    def _rows(self, found: StoredObject, events: list[dict[str, Any]]) -> Rows:
        """Raises ``SessionCorruptedError``."""
        size = len(found.body)
        try:
            return rows_of_session(self._raw.parse(found), size, events)
        except SessionCorruptedError as error:
            problem = error
        session: AnySession = self._others.parse(found)
        if not session.is_of_another_model:
            raise problem
        return rows_of_other(session.id, session.members, size, events)
