"""Fresh processes of this Python, and their times."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Timing

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Finished:
    """A successful process: its time from start to end, and its output."""

    timing: Timing
    output: str
    errors: str


def run_program(name: str, *arguments: str, python: tuple[str, ...] = ()) -> Finished:
    """Run one of ``programs/`` with arguments. ``python`` has the options of the interpreter.

    Raises ``RuntimeError`` with the end of its output when it fails.
    """
    return run_command([sys.executable, *python, str(PROGRAMS / f"{name}.py"), *arguments])


def run_command(command: list[str]) -> Finished:
    """Run a command of this environment; see ``run_program``."""
    before = _cpu_of_children()
    started = time.perf_counter()
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"{Path(command[-1]).name} failed: {process.stderr[-2000:]}")
    return Finished(Timing(elapsed, _cpu_of_children() - before), process.stdout, process.stderr)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
