"""What all tests of a store begin with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from sessionbucket._sync.base_store import BaseSessionStore
from sessionbucket.errors import SessionConflictError
from sessionbucket.models import Message, SessionData


class StoreCase:
    """A store, and ids in it that no other test uses."""

    race_rounds: int = 10
    """How often each race is run; for a backend whose every answer takes long, fewer."""

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
        """An id of this test's own."""
        return self.prefix + name

    def new_session(self, id: str, *texts: str) -> Any:
        """A session that was never stored, with these texts in their order."""
        return SessionData(id=id, messages=[Message.user(text) for text in texts])

    def add_text(self, session: Any, text: str) -> None:
        """Change the session, in place, by one more text."""
        session.messages.append(Message.user(text))

    def texts_of(self, session: Any) -> list[str]:
        """The texts of the session, in their order."""
        return [message.text for message in session.messages]

    def stored_texts(self, id: str | None = None) -> list[str] | None:
        """The texts of the session as another store object loads it, or None where there is none."""
        session = self.open().load(id or self.id())
        return None if session is None else self.texts_of(session)

    def refused(self, session: Any, why: str, store: BaseSessionStore[Any] | None = None) -> None:
        """Save, and fail with ``why`` unless it is a conflict that changed nothing."""
        before = self.stored_texts(session.id)
        try:
            (store or self.store).save(session)
        except SessionConflictError as error:
            assert error.outcome == "not written", "the outcome of a plain conflict is 'not written'"
            assert error.session_id == session.id, "SessionConflictError must have the session's id"
        else:
            pytest.fail(f"{why} must raise SessionConflictError: it replaced what its caller had not seen")
        assert self.stored_texts(session.id) == before, "a save that is a conflict must change nothing"
