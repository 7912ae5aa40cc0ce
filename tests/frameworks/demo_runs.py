"""The demo with a framework, whose scenes it then has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conformance.locations import environment

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


def run_demo(folder: Path) -> str:
    """The output of the whole demo, which leaves no file in the folder for temporary files."""
    ran = subprocess.run(
        [sys.executable, str(DEMO), str(folder.with_name(f"{folder.name}-kept"))],
        env={**environment(), "PYTHONUTF8": "1", "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert list(folder.iterdir()) == []
    return ran.stdout
