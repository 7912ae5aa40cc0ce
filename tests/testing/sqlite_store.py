"""A complete store of a user that is no bucket: five methods over a table of SQLite. It passes the suite of stores."""

from __future__ import annotations

import sqlite3
from builtins import list as List  # noqa: N812 (``list`` is a method here)
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from pydantic import PrivateAttr

from sessionbucket import BaseSessionStore, SessionConflictError, SessionData

BUSY_SECONDS = 10


class RowSession(SessionData):
    """A session that remembers the version of its row, in a private attribute, which is never stored."""

    _row_version: str | None = PrivateAttr(default=None)


class SqliteStore(BaseSessionStore[RowSession]):
    """Sessions in a table. A save replaces exactly the version that its session was loaded or saved as."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()
        with self._connected() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, body TEXT NOT NULL, version TEXT NOT NULL)"
            )

    @property
    def backend_name(self) -> str:
        return "sqlite"

    @property
    def location(self) -> str:
        return f"sqlite://{self._path}"

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            yield database
        finally:
            database.close()

    def save(self, session: RowSession, *, overwrite: bool = False) -> None:
        row = {"id": session.id, "body": session.model_dump_json(), "version": self._version_after(session)}
        if overwrite:
            statement = "REPLACE INTO sessions VALUES (:id, :body, :version)"
        elif session._row_version is None:
            statement = "INSERT OR IGNORE INTO sessions VALUES (:id, :body, :version)"
        else:
            statement = (
                "UPDATE sessions SET body = :body, version = :version WHERE id = :id AND version = :seen"
            )
        with self._connected() as database:
            done = database.execute(statement, {**row, "seen": session._row_version}).rowcount
        if not done:
            raise SessionConflictError(session.id, key=session.id, location=self.location)
        session._row_version = row["version"]

    def _version_after(self, session: RowSession) -> str:
        """A unique version, so that a session that was deleted and created again is another."""
        return uuid4().hex

    def load(self, id: str) -> RowSession | None:
        with self._connected() as database:
            row = database.execute("SELECT body, version FROM sessions WHERE id = ?", (id,)).fetchone()
        if row is None:
            return None
        session = RowSession.model_validate_json(row[0])
        session._row_version = row[1]
        return session

    def delete(self, id: str) -> None:
        with self._connected() as database:
            database.execute("DELETE FROM sessions WHERE id = ?", (id,))

    def list(self) -> List[str]:
        with self._connected() as database:
            return [row[0] for row in database.execute("SELECT id FROM sessions ORDER BY id")]

    def exists(self, id: str) -> bool:
        with self._connected() as database:
            return bool(database.execute("SELECT 1 FROM sessions WHERE id = ?", (id,)).fetchone())
