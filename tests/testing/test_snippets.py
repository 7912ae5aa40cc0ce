"""The tests in README.md and docs/testing.md pass as they are written there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
IMPORTS = """
from concurrent.futures import ThreadPoolExecutor
import pytest
from sessionbucket import FileBucket, MemoryBucket, SessionData, SessionStore, open_store
from sessionbucket.testing import FaultyBucket
from sessionbucket.testing.conformance import BucketConformance, StoreConformance
"""


def blocks_of(page: str, section: str = "") -> str:
    text = (PROJECT / page).read_text()
    if section:
        text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return "\n\n".join(re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL))


def assert_passes(pytester: pytest.Pytester, source: str) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n")
    pytester.path.joinpath("test_snippets.py").write_text(source)
    result = pytester.runpytest_subprocess("-pno:cacheprovider")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] >= source.count("def test_")
    assert outcomes.keys() <= {"passed", "skipped"}  # SeaweedFS may not be installed


def test_the_tests_of_the_readme_pass(pytester: pytest.Pytester):
    assert_passes(pytester, blocks_of("README.md", "Testing your agent"))


def test_the_tests_of_the_page_on_testing_pass(pytester: pytest.Pytester):
    assert_passes(pytester, IMPORTS + blocks_of("docs/testing.md"))


def test_the_page_lists_every_fixture(pytester: pytest.Pytester):
    listed = set(re.findall(r"`(sessionbucket_\w+)`", (PROJECT / "docs" / "testing.md").read_text()))
    result = pytester.runpytest_subprocess("--fixtures", "-pno:cacheprovider")
    assert listed == set(re.findall(r"^(sessionbucket_\w+)", result.stdout.str(), flags=re.MULTILINE))
