"""The example runs offline, each turn in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conformance.locations import Location

AGENT = Path(__file__).parents[3] / "examples" / "langgraph" / "agent.py"


def turn(url: str, thread: str, text: str) -> str:
    ran = subprocess.run(
        [sys.executable, str(AGENT), url, thread, text], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_each_process_goes_on_where_the_last_one_stopped(folder: Location):
    url = folder.url()
    assert turn(url, "ann/1", "Hello") == "Turn 1."
    assert turn(url, "ann/1", "I live in Lisbon") == "Turn 2. I know: I live in Lisbon."
    assert turn(url, "ann/2", "Hello") == "Turn 1. I know: I live in Lisbon."
    assert turn(url, "bob/1", "please pay") == "May I pay?"
    assert turn(url, "bob/1", "approve") == "Turn 1."
    assert turn(url, "bob/1", "please pay more") == "May I pay?"
    assert turn(url, "bob/1", "no") == "Turn 3."
