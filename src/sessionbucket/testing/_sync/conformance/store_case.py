# Generated from sessionbucket/testing/_async/conformance/store_case.py by scripts/generate_sync.py: do not edit.
"""The base of the store suite: its fixtures and helpers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from sessionbucket import BaseSessionStore
from sessionbucket.errors import SessionConflictError
from sessionbucket.models import Message, SessionData


class StoreCase:
    """A store, and ids in it that no other test uses."""

    race_rounds: int = 10
    """How often each race runs. Set a lower number for a slow backend."""

    open: Callable[[], BaseSessionStore[Any]]
    store: BaseSessionStore[Any]
    prefix: str

    @pytest.fixture
    def anyio_backend(self) -> str:
        """For tests that anyio runs: stores work on asyncio."""
        return "asyncio"

    @pytest.fixture(autouse=True)
    def _arrange(self, store_factory: Callable[[], BaseSessionStore[Any]]) -> None:
        self.open = store_factory
        self.store = store_factory()
        self.prefix = f"conformance-{uuid4().hex[:12]}-"

    def id(self, name: str = "s") -> str:
        """An id of this test."""
        return self.prefix + name

    def new_session(self, id: str, *texts: str) -> Any:
        """A new session with these texts, in order."""
        return SessionData(id=id, messages=[Message.user(text) for text in texts])

    def add_text(self, session: Any, text: str) -> None:
        """Append a text to the session, in place."""
        session.messages.append(Message.user(text))

    def texts_of(self, session: Any) -> list[str]:
        """The texts of the session, in order."""
        return [message.text for message in session.messages]

    def stored_texts(self, id: str | None = None) -> list[str] | None:
        """The texts of the session as another store object loads it, or None when it does not exist."""
        session = self.open().load(id or self.id())
        return None if session is None else self.texts_of(session)

    def refused(self, session: Any, why: str, store: BaseSessionStore[Any] | None = None) -> None:
        """Save, and fail with ``why`` unless that is a conflict that changes nothing."""
        before = self.stored_texts(session.id)
        try:
            (store or self.store).save(session)
        except SessionConflictError as error:
            assert error.outcome == "not written", "the outcome of a plain conflict is 'not written'"
            assert error.session_id == session.id, "SessionConflictError must have the session's id"
        else:
            pytest.fail(f"{why} must raise SessionConflictError: it replaced what its caller had not seen")
        assert self.stored_texts(session.id) == before, "a save that is a conflict must change nothing"
