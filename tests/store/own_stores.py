"""A backend that is no bucket, with five methods, as a user would write it. ``testing.sqlite_store`` has one that compares versions."""

from __future__ import annotations

from builtins import list as List  # noqa: N812 (``list`` is a method here)

from sessionbucket import AsyncBaseSessionStore, SessionData


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
