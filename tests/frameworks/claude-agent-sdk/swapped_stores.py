"""A pytest plugin for the SDK's own tests: `InMemorySessionStore` is `BucketSessionStore`."""

from __future__ import annotations

import time
from uuid import uuid4

import claude_agent_sdk
import pytest
from claude_agent_sdk._internal import session_store

from sessionbucket.integrations.claude_agent_sdk import BucketSessionStore


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


class SwappedStore(BucketSessionStore):
    """A new store for each test, whose times never repeat: the SDK's own store counts its appends instead."""

    def __init__(self) -> None:
        super().__init__(f"memory://{uuid4().hex}")

    async def append(
        self, key: claude_agent_sdk.SessionKey, entries: list[claude_agent_sdk.SessionStoreEntry]
    ) -> None:
        await super().append(key, entries)
        written = milliseconds()
        while milliseconds() == written:
            pass

    def get_entries(self, key: claude_agent_sdk.SessionKey) -> list[claude_agent_sdk.SessionStoreEntry]:
        """The entries of a transcript, as the SDK's own store has them for tests."""
        step = self.load(key)
        try:
            step.send(None)
        except StopIteration as ended:
            return ended.value or []
        raise RuntimeError("a store in memory must not wait")


def pytest_configure(config: pytest.Config) -> None:
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    for module in (claude_agent_sdk, session_store):
        patch.setattr(module, "InMemorySessionStore", SwappedStore)
