"""strands-agents: an object for each message, one for the agent and one for the session; or a snapshot of the whole agent.

The calls are those of ``Agent(session_manager=…)``. ``initialize`` restores a conversation. A turn appends two messages and
syncs the agent's state, which every turn changes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, cast

import boto3
from botocore.config import Config
from strands import Agent
from strands.models.model import Model
from strands.session.file_session_manager import FileSessionManager
from strands.session.repository_session_manager import RepositorySessionManager
from strands.session.s3_session_manager import S3SessionManager
from strands.session.session_manager import SessionManager
from strands.session.snapshot_session_manager import SnapshotSessionManager
from strands.storage.local_file_storage import LocalFileStorage
from strands.storage.s3_storage import S3Storage

from benchmarks.servers import Server
from sessionbucket import Message, SessionData
from sessionbucket.models import TextBlock, ToolResultBlock, ToolUseBlock

_SESSION, _AGENT = "session", "agent"
_CONFIG = Config(max_pool_connections=64)


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

    def __init__(self, manager: Callable[[], SessionManager[Any]], session: SessionData) -> None:
        # It warns about the end of a recorded conversation.
        logging.getLogger("strands").setLevel(logging.ERROR)
        self._new_manager = manager
        self._manager = manager()
        messages = [_message(each) for each in session.messages]
        self._length, self._turn = len(messages), messages[:2]
        self._turns = 0
        self._agent = _new_agent(messages)
        self._manager.initialize(self._agent)
        self._manager.sync_agent(self._agent)
        self._restored = _new_agent([])

    def resume(self) -> list[Any]:
        """Restore the conversation into an agent by a new manager, with the same client."""
        self._new_manager().initialize(self._restored)
        return self._restored.messages

    def take_turn(self) -> None:
        """Append two messages, and sync the agent's state."""
        self._turns += 1
        del self._agent.messages[self._length :]
        for message in self._turn:
            self._agent.messages.append(message)
            self._manager.append_message(message, self._agent)
        self._agent.state.set("turns", self._turns)
        self._manager.sync_agent(self._agent)


def _new_agent(messages: list[Any]) -> Agent:
    return Agent(model=cast("Model", _NoModel()), messages=messages, agent_id=_AGENT, callback_handler=None)


class Messages:
    """A conversation with an object for each message."""

    @staticmethod
    def on_s3(server: Server, bucket: str, session: SessionData) -> StrandsConversation:
        """A conversation in a bucket."""
        repository = s3_repository(server, bucket)
        return StrandsConversation(partial(RepositorySessionManager, _SESSION, repository), session)

    @staticmethod
    def in_folder(folder: Path, session: SessionData) -> StrandsConversation:
        """A conversation in files."""
        repository = FileSessionManager(_SESSION, storage_dir=str(folder))
        return StrandsConversation(partial(RepositorySessionManager, _SESSION, repository), session)


class Snapshots:
    """A conversation with one object for the whole agent."""

    @staticmethod
    def on_s3(server: Server, bucket: str, session: SessionData) -> StrandsConversation:
        """A conversation in a bucket."""
        storage = s3_storage(server, bucket)
        return StrandsConversation(partial(SnapshotSessionManager, _SESSION, storage=storage), session)

    @staticmethod
    def in_folder(folder: Path, session: SessionData) -> StrandsConversation:
        """A conversation in files."""
        storage = LocalFileStorage(str(folder))
        return StrandsConversation(partial(SnapshotSessionManager, _SESSION, storage=storage), session)


def s3_repository(server: Server, bucket: str) -> S3SessionManager:
    """The SDK's repository of messages in a bucket."""
    return S3SessionManager(
        _SESSION,
        bucket,
        boto_session=boto3.Session(),
        boto_client_config=_CONFIG,
        endpoint_url=server.endpoint_url,
    )


def s3_storage(server: Server, bucket: str) -> S3Storage:
    """The SDK's storage of snapshots in a bucket. It takes no endpoint, so its session has one."""

    class LocalSession(boto3.Session):
        def client(self, *args: Any, **options: Any) -> Any:
            return super().client(*args, **{**options, "endpoint_url": server.endpoint_url})

    return S3Storage(bucket, prefix="snapshots", boto_session=LocalSession(), boto_client_config=_CONFIG)


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
