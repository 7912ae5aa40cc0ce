"""What the import of the integration loads, and the example app."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sessionbucket

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "claude-agent-sdk" / "agent.py"
MODULE = "sessionbucket.integrations.claude_agent_sdk"
CLIENTS = ("boto3", "botocore", "aioboto3", "aiobotocore", "obstore", "aiohttp")
OTHERS = ("langgraph", "langchain_core", "strands", "google.adk", "agents", "pydantic_ai")


def run(*arguments: str) -> str:
    program_folder = Path(
        sys.executable
    ).parent  # the stand-in for Claude Code is a program of this environment
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(sessionbucket.__file__).parents[1]),
        "PATH": f"{program_folder}{os.pathsep}{os.environ['PATH']}",
    }
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True
    ).stdout


def loaded_by(program: str) -> set[str]:
    return set(run("-c", f"{program}\nimport sys\nprint(*sys.modules)").split())


def test_the_import_loads_no_client_no_other_framework_and_no_model_of_ours():
    added = loaded_by(f"import {MODULE}") - loaded_by("import claude_agent_sdk")
    assert MODULE in added
    assert added & {*CLIENTS, *OTHERS} == set()
    assert [name for name in added if name.startswith(("sessionbucket.models", "sessionbucket._sync"))] == []


def test_the_example_resumes_in_another_process_with_an_empty_configuration(tmp_path: Path):
    id, _, text = run(str(EXAMPLE), tmp_path.as_uri(), "Hello").strip().partition(" ")
    assert text == "This is turn 1."
    for turn in (2, 3):
        resumed = run(str(EXAMPLE), tmp_path.as_uri(), "Go on", "--resume", id).strip()
        assert resumed == f"{id} This is turn {turn}."
    assert "turn 1." in run(str(EXAMPLE), tmp_path.as_uri(), "Hello")
