"""The tools of the library know the folder of the integration."""

from __future__ import annotations

from pathlib import Path

from frameworks.folders import LONG, listed
from scripted_model import ScriptedModel
from strands import Agent
from strands.session.repository_session_manager import RepositorySessionManager
from strands.session.snapshot_session_manager import SnapshotSessionManager

from sessionbucket.integrations.strands import BucketSessionRepository, BucketStorage


def test_sessions_are_listed_by_their_names_and_copied(tmp_path: Path):
    for name in ("s", LONG):
        manager = RepositorySessionManager(name, BucketSessionRepository(tmp_path))
        Agent(model=ScriptedModel("Hello"), agent_id="a", session_manager=manager, callback_handler=None)(
            "Hi"
        )
    snapshots = SnapshotSessionManager("user-7", storage=BucketStorage(tmp_path))
    Agent(model=ScriptedModel("Hello"), agent_id="a", session_manager=snapshots, callback_handler=None)("Hi")
    found = listed(tmp_path, "strands")
    assert set(found) == {("repository", "s"), ("repository", LONG), ("session", "user-7")}
    assert found["repository", "s"].objects == found["repository", LONG].objects == 2
