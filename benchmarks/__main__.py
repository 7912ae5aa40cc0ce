"""``python -m benchmarks [scenario …]``: measure, show and write the results."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from benchmarks.findings import Findings
from benchmarks.machine import facts
from benchmarks.report import show
from benchmarks.running import Run
from benchmarks.scenarios import SCENARIOS, measure
from benchmarks.servers import MOTO, SEAWEEDFS, Servers

RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.scenario) - set(SCENARIOS))
    if unknown:
        parser.error(f"there is no scenario {unknown[0]!r}; there are: {', '.join(SCENARIOS)}")
    console = Console(width=None if sys.stdout.isatty() else 150)
    failed: list[str] = []
    if options.read:
        findings = Findings.read(options.read)
    else:
        findings = Findings(facts(quick=options.quick))
        failed = _measure(options, findings, console)
    show(findings, console)
    if options.plots:
        _draw(findings, options.plots, console)
    if failed:
        console.print(f"failed: {', '.join(failed)}; nothing is published", style="bold red")
        return 1
    if options.publish:
        from benchmarks import publishing  # noqa: PLC0415 (matplotlib may be missing)

        publishing.publish(findings)
    return 0


def _measure(options: argparse.Namespace, findings: Findings, console: Console) -> list[str]:
    """Measure each scenario, and write the results after each. Returns the names of those that failed."""
    path = options.json or RESULTS / ("quick.json" if options.quick else "full.json")
    failed: list[str] = []
    with Servers() as servers:
        chosen = options.server or ([SEAWEEDFS] if options.quick else [SEAWEEDFS, MOTO])
        run = Run(servers, findings, options.quick, tuple(chosen))
        for name in options.scenario or SCENARIOS:
            started = time.monotonic()
            console.print(f"{name.replace('_', ' ')}: {SCENARIOS[name]} …", end=" ")
            try:
                measure(name, run)
            except Exception:  # noqa: BLE001 (any error; the other scenarios must still run)
                failed.append(name)
                console.print_exception()
            console.print(f"{time.monotonic() - started:.0f} s", style="dim")
            findings.write(path)
    return failed


def _draw(findings: Findings, folder: Path, console: Console) -> None:
    if find_spec("matplotlib") is None:
        console.print("note: no plots, because matplotlib is not installed", style="dim")
        return
    from benchmarks.plots import draw  # noqa: PLC0415 (matplotlib may be missing)

    draw(findings, folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    about = "; ".join(f"{name}: {what}" for name, what in SCENARIOS.items())
    parser.add_argument("scenario", nargs="*", help=f"the scenarios to run; by default all. {about}")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="small and few, on SeaweedFS alone, to see that everything works; no valid figures",
    )
    parser.add_argument(
        "--server", action="append", choices=[SEAWEEDFS, MOTO], help="measure on this server only"
    )
    parser.add_argument("--json", type=Path, help="the file for the results (benchmarks/results/full.json)")
    parser.add_argument("--read", type=Path, help="show the results of an earlier run instead of measuring")
    parser.add_argument("--plots", type=Path, help="the folder for plots")
    parser.add_argument(
        "--publish", action="store_true", help="write the section of docs/benchmarks.md and its plots"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
