"""The example runs in two processes, and so does the code of the page."""

from __future__ import annotations

import asyncio
import inspect
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from pathlib import Path
from typing import Any

import pytest
from frameworks.example_programs import check_example, page_blocks


def test_the_example_keeps_a_session_between_processes(tmp_path: Path):
    check_example("agent-framework", tmp_path)


@pytest.mark.parametrize("number", range(len(page_blocks("agent-framework"))))
def test_the_code_of_the_page_runs(tmp_path: Path, number: int):
    block = page_blocks("agent-framework")[number].replace("s3://my-bucket/agents", tmp_path.as_uri())
    scope: dict[str, Any] = {"__name__": "page"}
    code = compile(block, "page", "exec", flags=PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    result = eval(code, scope)
    if inspect.iscoroutine(result):
        asyncio.run(result)
