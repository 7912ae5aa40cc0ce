"""What the import of the integration loads, and the example app."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sessionbucket

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "openai-agents" / "assistant.py"
MODULE = "sessionbucket.integrations.openai_agents"
CLIENTS = ("boto3", "botocore", "aioboto3", "aiobotocore", "obstore")
OTHERS = ("langgraph", "langchain_core", "strands", "google.adk", "claude_agent_sdk", "pydantic_ai")


def run(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(sessionbucket.__file__).parents[1])}
    environment.pop("OPENAI_API_KEY", None)
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True
    ).stdout


def loaded_by(program: str) -> set[str]:
    return set(run("-c", f"{program}\nimport sys\nprint(*sys.modules)").split())


def test_the_import_loads_no_client_no_other_framework_and_no_model_of_ours():
    added = loaded_by(f"import {MODULE}") - loaded_by("import agents, agents.memory")
    assert MODULE in added
    assert added & {*CLIENTS, *OTHERS} == set()
    assert [name for name in added if name.startswith(("sessionbucket.models", "sessionbucket._sync"))] == []


def test_a_session_that_is_made_and_not_used_loads_no_boto3():
    program = f"from {MODULE} import BucketSession\nBucketSession('s', 's3://bucket?engine=obstore&region=us-east-1')"
    assert loaded_by(program) & {"boto3", "aioboto3"} == set()


def test_the_example_remembers_in_another_process(tmp_path: Path):
    assert run(str(EXAMPLE), tmp_path.as_uri(), "s", "My name is Ada") == "Hello Ada, this is turn 1.\n"
    assert run(str(EXAMPLE), tmp_path.as_uri(), "s", "Who am I?") == "Hello Ada, this is turn 2.\n"
    assert run(str(EXAMPLE), tmp_path.as_uri(), "other", "Who am I?") == "Hello, this is turn 1.\n"
