"""The SDK's own tests with `BucketSessionStore` in the place of `InMemorySessionStore`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SDIST = os.environ.get("FRAMEWORK_SDIST", "")
HERE = Path(__file__).parent

FILES = (
    "tests/test_session_helpers_store.py",
    "tests/test_session_import.py",
    "tests/test_session_mutations.py",
    "tests/test_session_resume.py",
    "tests/test_session_store_anyio.py",
    "tests/test_session_store_conformance.py",
    "tests/test_session_summary.py",
    "tests/test_transcript_mirror.py",
)

# These look into the dictionaries of InMemorySessionStore, or call its helpers for tests.
OF_MEMORY = (
    "test_removes_session",
    "test_continue_picks_most_recent",
    "test_continue_skips_sidechain_sessions",
    "test_continue_tie_break_is_deterministic",
    "test_size_helper_counts_main_transcripts_only",
    "test_clear_helper",
)


def test_the_sdk_tests_pass_that_do_not_look_into_its_own_store():
    if not SDIST:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("FRAMEWORK_SDIST is not set")
    plugins = ["swapped_stores", "no:sessionbucket", "no:cacheprovider"]
    # The library runs under asyncio only.
    options = [*(f"-p{each}" for each in plugins), "--tb=short", "-rf", "-knot trio"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, *FILES],
        cwd=SDIST,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
    unexpected = [each for each in failed if not any(name in each for name in OF_MEMORY)]
    assert unexpected == [], ran.stdout[-20_000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None, ran.stdout[-20_000:]
    assert int(passed[1]) >= 255
