"""Sessions of Agent Framework, and the histories of their messages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from agent_framework import AgentSession, HistoryProvider, Message, SessionStore
from agent_framework._sessions import filter_new_messages

from sessionbucket import UNSEEN, AsyncAppendLog, Document, LogDraft, LogHead, encode_segment
from sessionbucket.integrations.agent_framework.documents import FrameworkDocuments

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore

_REMEMBERED = 256


class BucketSessionStore(FrameworkDocuments, SessionStore):
    """Keeps each session as one document under ``agent-framework/sessions/``.

    ``get`` sends one GET. ``set`` of a session that ``get`` of this store returned sends one PUT, and raises ``ConflictError`` without a
    change when another worker has stored the session since: get it again. ``set`` after a ``get`` that found nothing raises it when
    another worker was faster. ``set`` of any other session replaces the stored one, by one GET and one PUT.

    Every method raises ``ValueError`` for an empty id, and may raise ``SessionBucketError``, for instance ``StoreUnavailableError``.
    """

    def __init__(self, url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any]) -> None:
        """``url_or_store`` is that of ``open_async_store``, or an open store. Raises ``InvalidArgumentError`` for a bad URL."""
        super().__init__(url_or_store)
        self._versions: WeakKeyDictionary[AgentSession, Document] = WeakKeyDictionary()
        self._missing: dict[str, None] = {}

    async def get(self, session_id: str) -> AgentSession | None:
        self.validate_session_id(session_id)
        found = await self._documents.get(_session_key(session_id))
        if found is None:
            self._missing[session_id] = None
            _forget_oldest(self._missing)
            return None
        session = AgentSession.from_dict(self._decoded(found))
        self._versions[session] = found
        return session

    async def set(self, session_id: str, session: AgentSession) -> None:
        self.validate_session_id(session_id)
        key, body = _session_key(session_id), self._encoded(session.to_dict())
        seen = self._versions.get(session)
        if seen is not None and seen.key == key:
            written = await self._documents.update(key, lambda _: body, seen=seen, attempts=1)
        elif session_id in self._missing:
            written = await self._documents.put(key, body, if_absent=True)
        else:
            written = await self._documents.update(key, lambda _: body)
        self._missing.pop(session_id, None)
        if written is not None:
            self._versions[session] = written

    async def delete(self, session_id: str) -> None:
        self.validate_session_id(session_id)
        await self._documents.delete(_session_key(session_id))


class BucketHistoryProvider(FrameworkDocuments, HistoryProvider):
    """Keeps the messages of each session in one append log under ``agent-framework/history/``.

    A run sends one GET, and one PUT for its input and output. Two workers on one session lose and double nothing: the order of
    messages is the order of commits. As in the framework's own providers, messages that repeat the end of the history are not stored
    again. Without a session id, nothing is stored.

    Every method may raise ``SessionBucketError``, for instance ``StoreUnavailableError``.
    """

    def __init__(
        self,
        url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any],
        *,
        source_id: str = "bucket",
        skip_excluded: bool = False,
        **flags: Any,
    ) -> None:
        """``url_or_store`` is that of ``open_async_store``, or an open store. Providers with another ``source_id`` keep other histories.

        ``skip_excluded`` is that of ``InMemoryHistoryProvider``, and ``flags`` are those of ``HistoryProvider``. Raises
        ``InvalidArgumentError`` for a bad URL.
        """
        FrameworkDocuments.__init__(self, url_or_store)
        HistoryProvider.__init__(self, source_id, **flags)
        self.skip_excluded = skip_excluded
        self._log = AsyncAppendLog(self._documents)
        self._heads: dict[str, LogHead | None] = {}  # after the last reads, each a guess for the next write

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        if not session_id:
            return []
        found = await self._log.read(self._name(session_id))
        self._remember(session_id, found.head if found else None)
        messages = _messages(found.entries if found else [])
        return [
            each
            for each in messages
            if not self.skip_excluded or not each.additional_properties.get("_excluded")
        ]

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not session_id or not messages:
            return

        def add(draft: LogDraft) -> None:
            # One more than could repeat the new ones, so the decision is that for the whole history.
            existing = _messages(draft.entries[-len(messages) - 1 :])
            draft.entries += [each.to_dict() for each in filter_new_messages(existing, messages)]

        seen = self._heads.pop(session_id, UNSEEN)
        head = await self._log.edit(self._name(session_id), add, last=len(messages) + 1, seen=seen)
        self._remember(session_id, head)

    def _name(self, session_id: str) -> str:
        return f"history/{encode_segment(self.source_id)}/{encode_segment(session_id)}"

    def _remember(self, session_id: str, head: LogHead | None) -> None:
        self._heads[session_id] = head
        _forget_oldest(self._heads)


def _session_key(session_id: str) -> str:
    return f"sessions/{encode_segment(session_id)}.json"


def _messages(entries: Sequence[Any]) -> list[Message]:
    return [Message.from_dict(entry) for entry in entries]


def _forget_oldest(remembered: dict[str, Any]) -> None:
    if len(remembered) > _REMEMBERED:
        remembered.pop(next(iter(remembered)), None)
