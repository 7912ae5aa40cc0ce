"""The instructions of a save and a load do not rise, and summaries and encryption add little to them."""

from __future__ import annotations

import shutil

import pytest

from benchmarks.instructions import TOLERANCE, last, measure, of_encryption, of_summaries

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="needs valgrind"),
]


def test_a_save_and_a_load_take_at_most_5_percent_more_instructions_than_last_time():
    before = last()
    for name, ratio in measure().items():
        assert ratio <= before[name] * (1 + TOLERANCE), f"{name}: {ratio:.3f}, last {before[name]:.3f}"


def test_a_summary_adds_at_most_3_percent_to_a_save():
    assert of_summaries() <= 1.03


@pytest.mark.parametrize("task", ["save", "load"])
def test_encryption_adds_at_most_15_percent(task: str):
    assert of_encryption(task) <= 1.15
