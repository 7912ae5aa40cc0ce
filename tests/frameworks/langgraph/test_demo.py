"""The scene of the demo with LangGraph."""

from __future__ import annotations

from pathlib import Path

from frameworks.demo_runs import run_demo


def test_a_killed_run_is_resumed_by_another_process(tmp_path: Path):
    shown = run_demo(tmp_path)
    assert shown.count("flights runs in process") == 1 + 1  # in the code, and once when it runs
    assert shown.count("hotels runs in process") == 1 + 2
    assert "a flight at 9:40 and a room by the river" in shown
