"""The tools of the library know the folders of the integration."""

from __future__ import annotations

from pathlib import Path

from frameworks.folders import LONG, listed
from google.adk.events.event import Event

from sessionbucket.integrations.google_adk import BucketArtifactService, BucketSessionService


async def test_sessions_and_artifacts_are_listed_by_their_names_and_copied(tmp_path: Path):
    sessions, artifacts = BucketSessionService(tmp_path), BucketArtifactService(tmp_path)
    state = {"app:a": 1, "user:b": 2, "c": 3}
    for name in ("s", LONG):
        session = await sessions.create_session(app_name="app", user_id=name, session_id=name, state=state)
        await sessions.append_event(session, Event(author="user"))
    assert {names: info.objects for names, info in listed(tmp_path, "adk").items()} == {
        ("app", "s", "s"): 1,
        ("app", LONG, LONG): 1,
    }
    where = {"app_name": "app", "user_id": "u"}
    for filename in ("f", LONG):
        await artifacts.save_artifact(**where, session_id="s", filename=filename, artifact={"text": "x"})
    await artifacts.save_artifact(**where, filename="user:f", artifact={"text": "x"})
    assert {names: info.objects for names, info in listed(tmp_path, "adk-artifacts").items()} == {
        ("app", "u", "s"): 2,
        ("app", "u"): 1,
    }
