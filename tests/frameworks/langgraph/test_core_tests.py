"""LangGraph's own core tests, from its source distribution, with the saver swapped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

LEAST = 1029
"""The number of the tests, so that a change of their selection shows."""
REFILLED = "test_counter_reset_after_supersteps_snapshot"
"""It reads a snapshot of an earlier checkpoint from a later one, as only savers with values by version return it; with SqliteSaver
it fails, too.
"""
OPTIONS = ("addopts=", "asyncio_default_fixture_loop_scope=function", "filterwarnings=")


def test_no_core_test_fails():
    folder = Path(os.environ["FRAMEWORK_SDIST"])
    files = [
        path.relative_to(folder)
        for path in sorted(folder.glob("tests/test_*.py"))
        if "sync_checkpointer" in path.read_text() or "test_delta" in path.name
    ]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:sessionbucket",
        "-p",
        "swapped_saver",
        "-q",
        "-n",
        "2",
    ]
    command += [each for option in OPTIONS for each in ("-o", option)]
    environment = os.environ | {
        "NO_DOCKER": "true",
        "PYTHONPATH": str(Path(__file__).parent),
        "SWAP_IN_MODULES": "test_delta",
    }
    environment.pop("PYTEST_ADDOPTS", None)
    ran = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-k", f"not {REFILLED}", *map(str, files)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-10_000:] + ran.stderr[-2_000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed
    assert int(passed[1]) >= LEAST, ran.stdout[-500:]
