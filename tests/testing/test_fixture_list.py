"""docs/testing.md lists every fixture. tests/docs runs its code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def test_the_page_lists_every_fixture(pytester: pytest.Pytester):
    listed = set(re.findall(r"`(sessionbucket_\w+)`", (PROJECT / "docs" / "testing.md").read_text()))
    result = pytester.runpytest_subprocess("--fixtures", "-pno:cacheprovider")
    assert listed == set(re.findall(r"^(sessionbucket_\w+)", result.stdout.str(), flags=re.MULTILINE))
