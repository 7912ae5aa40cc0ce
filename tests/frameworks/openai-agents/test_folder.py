"""The tools of the library know the folder of the integration."""

from __future__ import annotations

from pathlib import Path

from frameworks.folders import LONG, listed

from sessionbucket.integrations.openai_agents import BucketSession


async def test_sessions_are_listed_by_their_names_and_copied(tmp_path: Path):
    for name in ("s", LONG):
        session = BucketSession(name, tmp_path)
        for number in range(4):
            await session.add_items([{"role": "user", "content": f"{number}" * 100_000}])
    found = listed(tmp_path, "openai-agents")
    assert {names: info.objects for names, info in found.items()} == {("s",): 3, (LONG,): 3}
