"""Backends that are no bucket: five methods each, as a user would write them."""

from __future__ import annotations

import sqlite3
from builtins import list as List  # noqa: N812 (``list`` is a method here)
from collections.abc import Callable

from sessionbucket import AsyncBaseSessionStore, BaseSessionStore, SessionConflictError, SessionData


class SqliteStore(BaseSessionStore[SessionData]):
    """Sessions in a table. A save compares what the session was loaded as with what is there."""

    def __init__(self, path: str = ":memory:") -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, body TEXT)")
        self._seen: dict[str, str] = {}
        self.before_save: Callable[[], None] = lambda: None

    @property
    def backend_name(self) -> str:
        return "sqlite"

    def save(self, session: SessionData, *, overwrite: bool = False) -> None:
        self.before_save()
        body, seen = session.model_dump_json(), self._seen.get(session.id)
        if overwrite:
            done = self._database.execute("REPLACE INTO sessions VALUES (?, ?)", (session.id, body))
        elif seen is None:
            done = self._database.execute("INSERT OR IGNORE INTO sessions VALUES (?, ?)", (session.id, body))
        else:
            statement = "UPDATE sessions SET body = ? WHERE id = ? AND body = ?"
            done = self._database.execute(statement, (body, session.id, seen))
        if not done.rowcount:
            raise SessionConflictError(session.id, key=session.id, location=self.location)
        self._seen[session.id] = body

    def load(self, id: str) -> SessionData | None:
        row = self._database.execute("SELECT body FROM sessions WHERE id = ?", (id,)).fetchone()
        if row is None:
            return None
        self._seen[id] = row[0]
        return SessionData.model_validate_json(row[0])

    def delete(self, id: str) -> None:
        self._database.execute("DELETE FROM sessions WHERE id = ?", (id,))

    def list(self) -> List[str]:
        return [row[0] for row in self._database.execute("SELECT id FROM sessions ORDER BY rowid")]

    def exists(self, id: str) -> bool:
        return bool(self._database.execute("SELECT 1 FROM sessions WHERE id = ?", (id,)).fetchone())

    def close(self) -> None:
        self._database.close()


class DictStore(AsyncBaseSessionStore[SessionData]):
    """Sessions in a dictionary; the last save wins."""

    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}

    async def save(self, session: SessionData, *, overwrite: bool = False) -> None:
        self._bodies[session.id] = session.model_dump_json()

    async def load(self, id: str) -> SessionData | None:
        body = self._bodies.get(id)
        return SessionData.model_validate_json(body) if body else None

    async def delete(self, id: str) -> None:
        self._bodies.pop(id, None)

    async def list(self) -> List[str]:
        return [*self._bodies]

    async def exists(self, id: str) -> bool:
        return id in self._bodies
