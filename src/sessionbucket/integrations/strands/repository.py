"""A session repository for Strands Agents."""

from __future__ import annotations

import builtins
import json
import os
from typing import TYPE_CHECKING, Any, cast

from strands.session.session_repository import SessionRepository
from strands.types.exceptions import SessionException
from strands.types.session import Session, SessionAgent, SessionMessage

from sessionbucket import (
    UNSEEN,
    AppendLog,
    ConflictError,
    Document,
    Log,
    LogDraft,
    LogHead,
    SessionCorruptedError,
    encode_segment,
    open_documents,
)

if TYPE_CHECKING:
    from strands.multiagent import MultiAgentBase

    from sessionbucket import SessionStore

_FOLDER = "strands"
_REPOSITORY = "repository/"
_FORMAT = 1
_TIMES = {"created_at", "updated_at"}


class BucketSessionRepository(SessionRepository):
    """Keeps sessions for ``RepositorySessionManager`` in a bucket or folder, each agent's messages in one append log.

    A message is one PUT. A resume is two GETs: the messages of the first ``list_messages`` after a ``read_agent`` are of that same read.
    When another worker has written a message of the same number, ``create_message`` raises ``SessionException``. A redacted
    message remains nowhere. Methods also raise ``SessionBucketError``, for instance ``StoreUnavailableError``.
    """

    def __init__(self, url_or_store: str | os.PathLike[str] | SessionStore[Any]) -> None:
        """``url_or_store`` is that of ``open_store``, or an open store. Raises ``InvalidArgumentError`` for a bad URL."""
        if isinstance(url_or_store, (str, os.PathLike)):
            self._documents = open_documents(url_or_store, _FOLDER, integration=True)
        else:
            self._documents = url_or_store.documents(_FOLDER, integration=True)
        self._log = AppendLog(self._documents)
        self._heads: dict[str, LogHead] = {}  # for the next write
        self._resumed: dict[str, Log] = {}

    def create_session(self, session: Session, **kwargs: Any) -> Session:
        key = f"{_folder(session.session_id)}session.json"
        try:
            self._documents.put(key, _encode(session.to_dict()), if_absent=True)
        except ConflictError as error:
            if error.outcome == "unknown":
                raise
            raise SessionException(f"Session {session.session_id} already exists") from error
        return session

    def read_session(self, session_id: str, **kwargs: Any) -> Session | None:
        data = self._get(f"{_folder(session_id)}session.json")
        return None if data is None else Session.from_dict(data)

    def delete_session(self, session_id: str, **kwargs: Any) -> None:
        """Delete the session with all its agents and messages. Raises ``SessionException`` when it does not exist."""
        if self.read_session(session_id) is None:
            raise SessionException(f"Session {session_id} does not exist")
        self._documents.delete_prefix(_folder(session_id))

    def create_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        name, agent = _name(session_id, session_agent.agent_id), session_agent.to_dict()

        def create(metadata: dict[str, Any], _: list[Any]) -> dict[str, Any]:
            if metadata.get("agent", agent) != agent:
                raise SessionException(
                    f"Agent {session_agent.agent_id} already exists in session {session_id}"
                )
            return {"last": -1, **metadata, "agent": agent}

        self._heads[name] = self._log.append(name, [], fold=create, seen=None)

    def read_agent(self, session_id: str, agent_id: str, **kwargs: Any) -> SessionAgent | None:
        name = _name(session_id, agent_id)
        found = self._log.read(name)
        if found is None:
            return None
        self._heads[name], self._resumed[name] = found.head, found
        return SessionAgent.from_dict(found.metadata["agent"])

    def update_agent(self, session_id: str, session_agent: SessionAgent, **kwargs: Any) -> None:
        name, agent = _name(session_id, session_agent.agent_id), session_agent.to_dict()

        def change(draft: LogDraft) -> None:
            stored = _existing(draft.metadata, session_id, session_agent.agent_id)
            if {**stored, **dict.fromkeys(_TIMES)} != {**agent, **dict.fromkeys(_TIMES)}:
                draft.metadata["agent"] = {**agent, "created_at": stored["created_at"]}

        head = self._log.edit(name, change, seen=self._taken(name))
        if head is not None:
            self._heads[name] = head

    def create_message(
        self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any
    ) -> None:
        name, number, row = _name(session_id, agent_id), session_message.message_id, session_message.to_dict()

        def check(metadata: dict[str, Any], _: builtins.list[Any]) -> dict[str, Any]:
            _existing(metadata, session_id, agent_id)
            if number <= metadata["last"]:
                raise _NumberTakenError
            return {**metadata, "last": number}

        try:
            self._heads[name] = self._log.append(name, [row], fold=check, seen=self._taken(name))
        except _NumberTakenError:
            stored = self.read_message(session_id, agent_id, number)
            if stored is None or stored.to_dict() != row:
                raise SessionException(
                    f"Message {number} of agent {agent_id} in session {session_id} exists already: another worker "
                    "writes this session. Make a new session manager, which reads its messages"
                ) from None

    def read_message(
        self, session_id: str, agent_id: str, message_id: int, **kwargs: Any
    ) -> SessionMessage | None:
        found = self._log.read(_name(session_id, agent_id))
        rows = [row for row in found.entries if row["message_id"] == message_id] if found else []
        return SessionMessage.from_dict(rows[0]) if rows else None

    def update_message(
        self, session_id: str, agent_id: str, session_message: SessionMessage, **kwargs: Any
    ) -> None:
        name, row = _name(session_id, agent_id), session_message.to_dict()
        found = self._log.read(name)
        numbers = [each["message_id"] for each in found.entries] if found else []
        if found is None or row["message_id"] not in numbers:
            raise SessionException(f"Message {row['message_id']} does not exist")
        index = numbers.index(row["message_id"])
        row["created_at"] = found.entries[index]["created_at"]
        row["message"] = row["redact_message"] or row["message"]  # the original text is stored nowhere
        self._heads[name] = self._log.replace(name, index, row, seen=found.head)

    def list_messages(
        self, session_id: str, agent_id: str, limit: int | None = None, offset: int = 0, **kwargs: Any
    ) -> list[SessionMessage]:
        name = _name(session_id, agent_id)
        found = self._resumed.pop(name, None) or self._log.read(name)
        if found is None:
            raise SessionException(f"Agent {agent_id} in session {session_id} does not exist")
        rows = found.entries[offset : None if limit is None else offset + limit]
        return [SessionMessage.from_dict(row) for row in rows]

    def create_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        body = _encode(multi_agent.serialize_state())
        self._documents.update(_multi_agent_key(session_id, multi_agent.id), lambda _: body)

    def read_multi_agent(self, session_id: str, multi_agent_id: str, **kwargs: Any) -> dict[str, Any] | None:
        return self._get(_multi_agent_key(session_id, multi_agent_id))

    def update_multi_agent(self, session_id: str, multi_agent: MultiAgentBase, **kwargs: Any) -> None:
        body = _encode(multi_agent.serialize_state())

        def change(document: Document | None) -> bytes:
            if document is None:
                raise SessionException(f"MultiAgent {multi_agent.id} in session {session_id} does not exist")
            return body

        self._documents.update(_multi_agent_key(session_id, multi_agent.id), change)

    def close(self) -> None:
        """Close all connections. The repository may be used again afterwards."""
        self._documents.close()

    def _taken(self, name: str) -> Any:
        """The remembered head of a log that is about to change. A read before the change serves no ``list_messages``."""
        self._resumed.pop(name, None)
        return self._heads.pop(name, UNSEEN)

    def _get(self, key: str) -> dict[str, Any] | None:
        found = self._documents.get(key)
        if found is None:
            return None
        try:
            decoded = json.loads(found.body)
            if decoded["format"] == _FORMAT:
                return cast("dict[str, Any]", decoded["data"])
        except (ValueError, TypeError, KeyError):
            pass
        raise SessionCorruptedError(self._documents.full_key(key), f"it is no document of format {_FORMAT}")


class _NumberTakenError(Exception):
    pass


def _folder(session_id: str) -> str:
    return f"{_REPOSITORY}{encode_segment(session_id)}/"


def _name(session_id: str, agent_id: str) -> str:
    return f"{_folder(session_id)}a/{encode_segment(agent_id)}"


def _multi_agent_key(session_id: str, multi_agent_id: str) -> str:
    return f"{_folder(session_id)}m/{encode_segment(multi_agent_id)}.json"


def _encode(data: dict[str, Any]) -> bytes:
    return json.dumps({"format": _FORMAT, "data": data}).encode()


def _existing(metadata: dict[str, Any], session_id: str, agent_id: str) -> dict[str, Any]:
    if "agent" not in metadata:
        raise SessionException(f"Agent {agent_id} in session {session_id} does not exist")
    return cast("dict[str, Any]", metadata["agent"])
