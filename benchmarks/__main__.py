"""``python -m benchmarks [scenario …]``: measure, show, and keep what was found."""

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
from benchmarks.scenarios import NAMES, scenario
from benchmarks.servers import MOTO, SEAWEEDFS, Servers

RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; gives the exit code."""
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 150)
    if options.read:
        findings = Findings.read(options.read)
    else:
        findings = _measure(options, console)
        findings.write(options.json or RESULTS / ("quick.json" if options.quick else "full.json"))
    show(findings, console)
    if options.plots:
        _draw(findings, options.plots, console)
    if options.publish:
        from benchmarks.publishing import publish  # noqa: PLC0415 (needs matplotlib)

        publish(findings)
    return 0


def _measure(options: argparse.Namespace, console: Console) -> Findings:
    findings = Findings(facts(quick=options.quick))
    with Servers() as servers:
        run = Run(servers, findings, options.quick, tuple(options.server or (SEAWEEDFS, MOTO)))
        for name in options.scenario or NAMES:
            started = time.monotonic()
            module = scenario(name)
            console.print(f"{name.replace('_', ' ')}: {module.ABOUT} …", end=" ")
            module.measure(run)
            console.print(f"{time.monotonic() - started:.0f} s", style="dim")
    return findings


def _draw(findings: Findings, folder: Path, console: Console) -> None:
    if find_spec("matplotlib") is None:
        console.print("note: no plots, since matplotlib is not installed", style="dim")
        return
    from benchmarks.plots import draw  # noqa: PLC0415 (slow to import)

    draw(findings, folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    about = "; ".join(f"{name}: {scenario(name).ABOUT}" for name in NAMES)
    parser.add_argument("scenario", nargs="*", choices=[[], *NAMES], help=f"which ones (all). {about}")
    parser.add_argument(
        "--quick", action="store_true", help="small and few: to see that all works, no figures"
    )
    parser.add_argument("--server", action="append", choices=[SEAWEEDFS, MOTO], help="only on this one")
    parser.add_argument("--json", type=Path, help="where the findings go (benchmarks/results/full.json)")
    parser.add_argument("--read", type=Path, help="show the findings of an earlier run instead of measuring")
    parser.add_argument("--plots", type=Path, help="a folder to draw plots into")
    parser.add_argument("--publish", action="store_true", help="write the README's section and its plots")
    return parser


if __name__ == "__main__":
    sys.exit(main())
