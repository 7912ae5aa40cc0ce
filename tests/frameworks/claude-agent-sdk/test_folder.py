"""The tools of the library know the folder of the integration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from frameworks.folders import LONG, listed

from sessionbucket.integrations.claude_agent_sdk import BucketSessionStore


async def test_sessions_are_listed_by_their_names_with_their_subagents_and_copied(tmp_path: Path):
    store = BucketSessionStore(tmp_path)
    for name in ("s", LONG):
        key: Any = {"project_key": name, "session_id": name}
        for number in range(4):
            entry: Any = {"type": "user", "uuid": f"{number}", "text": f"{number}" * 100_000}
            await store.append(key, [entry])
            await store.append({**key, "subpath": "subagents/a"}, [entry])
    found = listed(tmp_path, "claude")
    assert {names: info.objects for names, info in found.items()} == {("s", "s"): 6, (LONG, LONG): 6}
