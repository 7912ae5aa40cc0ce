"""The code of the page about the Claude Agent SDK runs, and its costs are those of the requests."""

from __future__ import annotations

import asyncio
import inspect
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from pathlib import Path
from typing import Any

import claude_agent_sdk
import pytest
from claude_agent_sdk import ClaudeAgentOptions, query
from frameworks.example_programs import PROJECT, page_blocks

from sessionbucket import AsyncMemoryBucket, AsyncSessionStore
from sessionbucket.integrations.claude_agent_sdk import BucketSessionStore
from sessionbucket.testing import AsyncFaultyBucket

PAGE = (PROJECT / "docs" / "integrations" / "claude-agent-sdk.md").read_text()
SCRIPTED = PROJECT / "examples" / "claude-agent-sdk" / "scripted_claude.py"
Options = Any


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Options of a client whose Claude Code is the script of the example, with an empty configuration folder."""
    folder = tmp_path / "configuration"
    folder.mkdir()
    return {"cli_path": SCRIPTED, "env": {"CLAUDE_CONFIG_DIR": str(folder)}}


def test_the_code_of_the_page_runs(tmp_path: Path, options: Options, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        claude_agent_sdk, "ClaudeAgentOptions", lambda **given: ClaudeAgentOptions(**given, **options)
    )
    (block,) = page_blocks("claude-agent-sdk")
    block = block.replace("s3://my-bucket/agents/prod", (tmp_path / "store").as_uri())
    scope: dict[str, Any] = {"__name__": "page"}
    result = eval(compile(block, "page", "exec", flags=PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True), scope)
    assert inspect.iscoroutine(result)
    asyncio.run(result)
    assert list((tmp_path / "store" / "claude").rglob("*.log"))


async def test_a_turn_costs_what_the_page_says(options: Options):
    bucket = AsyncFaultyBucket(AsyncMemoryBucket())
    store = BucketSessionStore(AsyncSessionStore(bucket))
    started = ClaudeAgentOptions(session_store=store, **options)
    counted = [message async for message in query(prompt="Hi", options=started)]
    id = counted[-1].session_id  # type: ignore[union-attr]
    bucket.calls.clear()
    resumed = BucketSessionStore(AsyncSessionStore(bucket))
    async for _ in query(
        prompt="Go on", options=ClaudeAgentOptions(session_store=resumed, resume=id, **options)
    ):
        pass
    assert [call.operation for call in bucket.calls] == ["get", "list_page", "get", "put"]
    text = " ".join(PAGE.split())
    assert "The first turn after a resume is 1 LIST, 2 GET and 1 PUT." in text
    assert (
        "a turn costs $0.000005: 200,000 turns for a dollar; the first one after a resume costs $0.0000108"
        in text
    )
    assert round(2 * 5e-6 + 2 * 0.4e-6, 10) == 0.0000108
