"""Stores of a user, each of which is wrong in one way."""

from __future__ import annotations

from time import sleep

from sessionbucket import SessionConflictError
from testing.sqlite_store import RowSession, SqliteStore

PAUSE = 0.002


class LastSaveWins(SqliteStore):
    """Replaces any version."""

    def save(self, session: RowSession, *, overwrite: bool = False) -> None:
        super().save(session, overwrite=True)


class RemembersById(SqliteStore):
    """Keeps the seen version in the store, not on the session: every copy counts as the one that was loaded last."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._seen: dict[str, str | None] = {}

    def load(self, id: str) -> RowSession | None:
        session = super().load(id)
        self._seen[id] = session._row_version if session else None
        return session

    def save(self, session: RowSession, *, overwrite: bool = False) -> None:
        session._row_version = self._seen.get(session.id)
        super().save(session, overwrite=overwrite)
        self._seen[session.id] = session._row_version


class ComparesAndThenWrites(SqliteStore):
    """Compares, and writes after a pause in which another writer can write."""

    def save(self, session: RowSession, *, overwrite: bool = False) -> None:
        there = self.load(session.id)
        if not overwrite and (there._row_version if there else None) != session._row_version:
            raise SessionConflictError(session.id, key=session.id, location=self.location)
        sleep(PAUSE)
        super().save(session, overwrite=True)


class CountsVersions(SqliteStore):
    """Numbers the versions of a session from one, so that a session created again has the versions of the old one."""

    def _version_after(self, session: RowSession) -> str:
        return str(int(session._row_version or 0) + 1)


class DropsUnknownMembers(SqliteStore):
    """Keeps only the members that its model declares."""

    def save(self, session: RowSession, *, overwrite: bool = False) -> None:
        known = session.model_copy(deep=True)
        known.model_extra.clear()
        super().save(known, overwrite=overwrite)
        session._row_version = known._row_version
