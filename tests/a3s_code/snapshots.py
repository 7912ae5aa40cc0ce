"""Snapshots as a3s-code 5.0 and later writes them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

from conformance.conftest import Opener
from conformance.samples import artifacts_of, event_of, report_of, session_of
from sessionbucket import SessionData
from sessionbucket._codec import codec_of

RUNS = [{"snapshot": {"id": "run-1", "cost": 1e16}, "events": []}]
TASKS = [{"task_id": "t"}]


def body_of(session: Any) -> bytes:
    return codec_of(type(session)).encode(session, key="")


def v1_name(id: str, folder: str = "sessions") -> str:
    return f"v1/{folder}/id_{urlsafe_b64encode(id.encode()).decode().rstrip('=')}.json"


def printed(document: Any) -> bytes:
    """The text of the serialisation library that a3s-code uses."""
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def snapshot_of(session: SessionData, *, parts: bool = True, **members: Any) -> bytes:
    """The snapshot of a session, with parts that name its id."""
    id = session.id
    artifacts = json.loads(body_of(artifacts_of(f"artifact of {id}")))["artifacts"]
    reports = [json.loads(body_of(report_of(f"report of {id}")))]
    document = {
        "schema_version": 1,
        "session": json.loads(body_of(session)),
        "artifacts": artifacts if parts else [],
        "retained_artifact_uris": [artifacts[0]["artifact_uri"]] if parts else [],
        "trace_events": [json.loads(body_of(event_of(f"event of {id}")))] if parts else [],
        "run_records": RUNS if parts else [],
        "verification_reports": reports if parts else [],
        "subagent_tasks": TASKS if parts else [],
    }
    return printed({**document, **members})


def write_snapshot(opener: Opener, id: str, text: str = "of a snapshot", **options: Any) -> None:
    opener.write(v1_name(id), snapshot_of(session_of(id, text), **options))
