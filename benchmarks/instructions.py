"""``python -m benchmarks.instructions``: the instructions of a save and a load, counted by valgrind.

A count has no noise, but depends on the processor, Python and the versions of the packages. So a figure is the ratio to the same
work by plain json, in the same run. ``results/instructions.json`` has the last figures; ``--write`` replaces them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "instructions.json"
TOLERANCE = 0.05
"""How far a figure may rise above the last one."""
_PROGRAM = Path(__file__).parent / "programs" / "instructions.py"
_CALLS = 10
_COUNT = re.compile(r"I\s+refs:\s+([\d,]+)")


def measure() -> dict[str, float]:
    """The instructions of a save and of a load, each as the ratio to those of plain json."""
    return {name: _instructions("ours", name) / _instructions("plain", name) for name in ("save", "load")}


def of_summaries() -> float:
    """The instructions of a save, as the ratio to those of a save without a summary."""
    return _instructions("ours", "save") / _instructions("ours-without-summaries", "save")


def of_encryption(task: str) -> float:
    """The instructions of a save or a load of an encrypted store, as the ratio to those of a plain one."""
    return _instructions("ours-encrypted", task) / _instructions("ours", task)


def last() -> dict[str, float]:
    """The last figures."""
    found: dict[str, float] = json.loads(RESULTS.read_text())
    return found


def _instructions(whose: str, task: str) -> float:
    """The instructions of one call, without the start of the process."""
    return (_run(whose, task) - _run(whose, "nothing")) / _CALLS


@cache
def _run(whose: str, task: str) -> int:
    # Cachegrind counts the same instructions as callgrind, in a third of the time.
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    program = [sys.executable, str(_PROGRAM), whose, task, str(_CALLS)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    # The first run compiles the modules, and would count that.
    subprocess.run(program, env=environment, check=True)
    ran = subprocess.run(
        [*valgrind, *program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = _COUNT.search(ran.stderr)
    if ran.returncode != 0 or found is None:
        raise RuntimeError(f"valgrind failed: {ran.stderr[-1000:]}")
    return int(found[1].replace(",", ""))


def main(arguments: Sequence[str]) -> int:
    """Print the figures beside the last ones. Returns 1 when one has risen by more than the tolerance."""
    figures = measure()
    if "--write" in arguments:
        RESULTS.write_text(
            json.dumps({name: round(ratio, 4) for name, ratio in figures.items()}, indent=2) + "\n"
        )
        return 0
    before = last()
    for name, ratio in figures.items():
        sys.stdout.write(
            f"{name}: {ratio:.3f} times the instructions of plain json; last {before[name]:.3f}\n"
        )
    return int(any(ratio > before[name] * (1 + TOLERANCE) for name, ratio in figures.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
