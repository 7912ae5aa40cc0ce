"""A pytest plugin for the SDK's own tests: `SQLiteSession` is `BucketSession`, on a folder, or in memory where SQLite's is."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import agents
import agents.extensions.memory.encrypt_session  # its checks for SQLiteSession keep the SDK's own class
import agents.memory
import agents.memory.sqlite_session
import pytest

from sessionbucket.integrations.openai_agents import BucketSession

_init = BucketSession.__init__


def init(
    self: BucketSession,
    session_id: str,
    db_path: str | os.PathLike[str] = ":memory:",
    sessions_table: str = "",
    messages_table: str = "",
    session_settings: Any = None,
) -> None:
    """Take the arguments of `SQLiteSession`."""
    in_memory = str(db_path) == ":memory:"
    folder = Path(f"{db_path}.sessions")
    url = f"memory://{uuid4().hex}" if in_memory else f"{folder.absolute().as_uri()}?fsync=false"
    _init(self, session_id, url, session_settings=session_settings)
    self.db_path = db_path


def close(self: BucketSession) -> None:
    """Nothing is open: a folder has no connections."""


def pytest_configure(config: pytest.Config) -> None:
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setattr(BucketSession, "__init__", init)
    patch.setattr(BucketSession, "close", close)
    for module in (agents, agents.memory, agents.memory.sqlite_session):
        patch.setattr(module, "SQLiteSession", BucketSession)
    assert inspect.signature(agents.SQLiteSession).parameters.keys() >= {"session_id", "db_path"}
