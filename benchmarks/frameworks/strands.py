"""Strands Agents: an agent with a scripted model, with a repository of messages and with snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, cast

from strands import Agent
from strands.models import Model
from strands.session.repository_session_manager import RepositorySessionManager
from strands.session.session_manager import SessionManager
from strands.session.snapshot_session_manager import SnapshotSessionManager

from benchmarks.frameworks import Open
from benchmarks.rivals.strands import s3_repository, s3_storage
from benchmarks.running import ASYNC_ENGINES, SYNC_ENGINES, Run, ours
from benchmarks.servers import Server
from sessionbucket.integrations.strands import BucketSessionRepository, BucketStorage

REPOSITORY, SNAPSHOTS = "S3SessionManager", "SnapshotSessionManager, S3Storage"
_TEXT = "What somebody says. " * 10


class _ScriptedModel(Model):
    def update_config(self, **_: Any) -> None:
        """Do nothing."""

    def get_config(self) -> dict[str, Any]:
        """Return no settings."""
        return {}

    async def structured_output(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        """Must not be called."""
        raise NotImplementedError
        yield

    async def stream(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        """Yield the same reply each time."""
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockStart": {"start": {}}}
        yield {"contentBlockDelta": {"delta": {"text": _TEXT}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}


class AgentConversation:
    """The conversation of an agent, in one event loop. Each session manager uses the same client."""

    def __init__(self, manager: Callable[[], SessionManager], close: Callable[[], object]) -> None:
        self._manager = manager
        self._close = close
        self._runner = asyncio.Runner()
        self._agent: Agent | None = None

    def prepare(self, turns: int) -> None:
        """Give the messages of these turns but one to a new agent, which stores them, and take the last turn."""
        roles = ("user", "assistant") * (turns - 1)
        self._agent = self._new_agent([{"role": role, "content": [{"text": _TEXT}]} for role in roles])
        self.take_turn()

    def take_turn(self) -> None:
        """Say something, and get a reply."""
        self._agent = self._agent or self._new_agent([])
        self._runner.run(self._agent.invoke_async(_TEXT))

    def resume(self) -> None:
        """Restore a new agent."""
        assert self._new_agent([]).messages  # noqa: S101 (a figure must be that of a success)

    def close(self) -> None:
        """Close the client and the event loop."""
        closed = self._close()
        if asyncio.iscoroutine(closed):
            self._runner.run(closed)
        self._runner.close()

    def _new_agent(self, messages: list[Any]) -> Agent:
        return Agent(
            model=cast("Model", _ScriptedModel()),
            messages=messages,
            agent_id="agent",
            session_manager=self._manager(),
            callback_handler=None,
        )


def repository_contenders(run: Run) -> dict[str, Open]:
    """Ours by each engine, and the rival, with an object for each message."""
    found: dict[str, Open] = {
        ours(each): partial(_our_repository, each) for each in run.engines(SYNC_ENGINES)
    }
    return found | {REPOSITORY: _s3_session_manager}


def snapshot_contenders(run: Run) -> dict[str, Open]:
    """Ours by each engine, and the rival, with a snapshot of the whole conversation."""
    found: dict[str, Open] = {ours(each): partial(_our_storage, each) for each in run.engines(ASYNC_ENGINES)}
    return found | {SNAPSHOTS: _s3_storage}


def _our_repository(engine: str, server: Server, bucket: str) -> AgentConversation:
    repository = BucketSessionRepository(server.store_url(bucket, engine, engine))
    return AgentConversation(lambda: RepositorySessionManager("session", repository), repository.close)


def _s3_session_manager(server: Server, bucket: str) -> AgentConversation:
    repository = s3_repository(server, bucket)
    return AgentConversation(lambda: RepositorySessionManager("session", repository), repository.client.close)


def _our_storage(engine: str, server: Server, bucket: str) -> AgentConversation:
    storage = BucketStorage(server.store_url(bucket, f"snapshots-{engine}", engine))
    return AgentConversation(lambda: SnapshotSessionManager("session", storage=storage), storage.close)


def _s3_storage(server: Server, bucket: str) -> AgentConversation:
    storage = s3_storage(server, bucket)
    return AgentConversation(lambda: SnapshotSessionManager("session", storage=storage), lambda: None)
