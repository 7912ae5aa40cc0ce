"""openai-agents: a row of a local SQLite file for each message. It needs no server, and only one machine can use it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from agents import SQLiteSession

from benchmarks.documents import document_of
from sessionbucket import SessionData


class SqliteConversation:
    """A conversation in a file, with an event loop of its own."""

    def __init__(self, folder: Path, session: SessionData) -> None:
        items: list[Any] = document_of(session)["messages"]
        self._path = folder / "conversation.db"
        self._turn = items[:2]
        self._session = SQLiteSession("conversation", self._path)
        self._runner = asyncio.Runner()
        self._runner.run(self._session.add_items(items))

    def resume(self) -> list[Any]:
        """All items."""
        return self._runner.run(self._session.get_items())

    def take_turn(self) -> None:
        """Add two items."""
        self._runner.run(self._session.add_items(self._turn))
