"""The SDK's own tests of storages, snapshots and repositories pass with ours in place of theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FILES = {
    "storage": [
        "storage/test_in_memory_storage.py",
        "storage/test_local_file_storage.py",
        "storage/test_storage.py",
    ],
    "snapshots": ["session/test_snapshot_session_manager.py"],
    "repository": ["session/test_repository_session_manager.py"],
}
OUTSIDE_THE_PROTOCOL = (
    "sandbox",  # LocalFileStorage(sandbox=…)
    "strategy",  # search_strategy=…
    "clear",  # InMemoryStorage.clear
    "error_raises_storage_error",  # these patch the functions of os
    "atomic_cleanup",
    "creates_directories",  # these look at files and at base_dir
    "trailing_slash_in_namespace",
    "returns_local_file_storage",
)
LEAST = {"storage": 65, "snapshots": 100, "repository": 40}


@pytest.mark.parametrize("part", FILES)
def test_the_sdk_tests_pass(part: str):
    source = os.environ.get("FRAMEWORK_SDIST")
    if not source:
        pytest.skip("FRAMEWORK_SDIST is not set: run scripts/frameworks.py")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-o",
        "addopts=",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
    ]
    command += ["-p", "no:sessionbucket", "-p", "swapped_storages", "-W", "ignore"]
    command += ["-k", f"not ({' or '.join(OUTSIDE_THE_PROTOCOL)})"] if part == "storage" else []
    ran = subprocess.run(
        [*command, *(f"tests/strands/{name}" for name in FILES[part])],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed
    assert int(passed[1]) >= LEAST[part]
