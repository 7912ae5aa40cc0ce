"""strands-agents: an object for each message, one for the agent and one for the session.

The calls are those of ``Agent(session_manager=…)``. ``initialize`` restores a conversation. A turn appends two messages and
syncs the agent's state, which every turn changes.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NoReturn, cast

import boto3
from botocore.config import Config
from strands import Agent
from strands.models.model import Model
from strands.session.file_session_manager import FileSessionManager
from strands.session.repository_session_manager import RepositorySessionManager
from strands.session.s3_session_manager import S3SessionManager

from benchmarks.servers import Server
from sessionbucket import Message, SessionData
from sessionbucket.models import TextBlock, ToolResultBlock, ToolUseBlock

NAME = "strands-agents"
_SESSION, _AGENT = "session", "agent"


class _NoModel(Model):
    """A model that is never called."""

    def update_config(self, **_: Any) -> None:
        """Do nothing."""

    def get_config(self) -> dict[str, Any]:
        """Return no settings."""
        return {}

    def structured_output(self, *_: Any, **__: Any) -> NoReturn:
        """Must not be called."""
        raise NotImplementedError

    def stream(self, *_: Any, **__: Any) -> NoReturn:
        """Must not be called."""
        raise NotImplementedError


class StrandsConversation:
    """One conversation of a session manager, created with all its messages, like that of a running agent."""

    def __init__(self, repository: S3SessionManager | FileSessionManager, session: SessionData) -> None:
        # It warns about the end of a recorded conversation.
        logging.getLogger("strands").setLevel(logging.ERROR)
        self._repository = repository
        messages = [_message(each) for each in session.messages]
        self._turn = messages[:2]
        self._turns = 0
        self._agent = self._new_agent(messages)
        repository.initialize(self._agent)
        self._restored = self._new_agent([])

    def resume(self) -> list[Any]:
        """Restore the conversation into an agent by a new manager, with the same client."""
        manager = RepositorySessionManager(_SESSION, self._repository)
        manager.initialize(self._restored)
        return self._restored.messages

    def take_turn(self) -> None:
        """Append two messages, and sync the agent's state."""
        self._turns += 1
        for message in self._turn:
            self._repository.append_message(message, self._agent)
        self._agent.state.set("turns", self._turns)
        self._repository.sync_agent(self._agent)

    def _new_agent(self, messages: list[Any]) -> Agent:
        return Agent(
            model=cast("Model", _NoModel()), messages=messages, agent_id=_AGENT, callback_handler=None
        )


def on_s3(server: Server, bucket: str, session: SessionData) -> StrandsConversation:
    """A conversation in a bucket."""
    manager = S3SessionManager(
        _SESSION,
        bucket,
        boto_session=boto3.Session(),
        boto_client_config=Config(max_pool_connections=64),
        endpoint_url=server.endpoint_url,
    )
    return StrandsConversation(manager, session)


def in_folder(folder: Path, session: SessionData) -> StrandsConversation:
    """A conversation in files."""
    return StrandsConversation(FileSessionManager(_SESSION, storage_dir=str(folder)), session)


def _message(message: Message) -> Any:
    return {"role": message.role, "content": [_block(block) for block in message.content]}


def _block(block: object) -> dict[str, Any]:
    match block:
        case TextBlock():
            return {"text": block.text}
        case ToolUseBlock():
            return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": block.input}}
        case ToolResultBlock():
            content = [{"text": str(block.content)}]
            return {"toolResult": {"toolUseId": block.tool_use_id, "content": content, "status": "success"}}
    raise TypeError(block)
