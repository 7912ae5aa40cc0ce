"""The scenes of the demo with the OpenAI Agents SDK."""

from __future__ import annotations

from pathlib import Path

from frameworks.demo_runs import run_demo


def test_two_workers_and_a_lost_response_lose_and_double_nothing(tmp_path: Path):
    shown = run_demo(tmp_path)
    assert "24 items, 12 of each worker in its order, none lost" in shown
    assert "was lost; the write had been done" in shown
    assert "did not repeat it: 2 items" in shown
