"""The code of the page about the OpenAI Agents SDK runs, and its costs are those of the requests."""

from __future__ import annotations

import asyncio
import inspect
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from pathlib import Path
from typing import Any

import agents
import pytest
from agents import Runner, set_tracing_disabled
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from frameworks.example_programs import PROJECT, page_blocks

from sessionbucket import AsyncMemoryBucket, AsyncSessionStore
from sessionbucket.integrations.openai_agents import BucketSession
from sessionbucket.testing import AsyncFaultyBucket

PAGE = (PROJECT / "docs" / "integrations" / "openai-agents.md").read_text()
BLOCKS = page_blocks("openai-agents")


@pytest.fixture(autouse=True)
def _no_tracing() -> None:
    set_tracing_disabled(disabled=True)


def test_the_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The blocks are one program. Its agent gets a model that follows a script."""
    plain = agents.Agent
    model = ScriptedModel([ModelStep(output=[assistant_message("Hello!")])])
    monkeypatch.setattr(agents, "Agent", lambda **options: plain(**options, model=model))
    program = "\n".join(BLOCKS).replace("s3://my-bucket/agents/prod", tmp_path.as_uri())
    scope: dict[str, Any] = {"__name__": "page"}
    result = eval(
        compile(program, "page", "exec", flags=PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True), scope
    )
    assert inspect.iscoroutine(result)
    asyncio.run(result)
    assert scope["result"].final_output == "Hello!"
    assert (tmp_path / "openai-agents" / "user-123.log").exists()


async def test_a_turn_costs_what_the_page_says():
    bucket = AsyncFaultyBucket(AsyncMemoryBucket())
    store = AsyncSessionStore(bucket)

    @agents.function_tool
    def look() -> str:
        """Look."""
        return "found"

    async def turn(steps: list[ModelStep]) -> list[str]:
        session = BucketSession("s", store)
        bucket.calls.clear()
        await Runner.run(
            agents.Agent(name="A", model=ScriptedModel(steps), tools=[look]), "Hi", session=session
        )
        return [call.operation for call in bucket.calls]

    reply = ModelStep(output=[assistant_message("Hello!")])
    tool = ModelStep(output=[function_call("look", {}, call_id="call")])
    await turn([reply])
    assert "A turn without tools is 1 GET and 2 PUT, and each round of tools adds 1 PUT." in PAGE
    assert await turn([reply]) == ["get", "put", "put"]
    assert await turn([tool, reply]) == ["get", "put", "put", "put"]
    assert "$0.0000154" in PAGE
    assert round(1 * 0.4e-6 + 3 * 5e-6, 10) == 0.0000154
