"""The findings in docs/benchmarks.md: a table and plots between two comments, which each full run replaces."""

from __future__ import annotations

from pathlib import Path

from benchmarks import plots
from benchmarks.findings import Findings
from benchmarks.report import spread
from benchmarks.targets import measured_targets

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "benchmarks.md"
PLOTS = PROJECT / "docs" / "benchmarks"
BEGIN, END = "<!-- benchmarks: begin (written by make bench) -->", "<!-- benchmarks: end -->"
_SHOWN = {
    "targets": "Every target as the used share of its limit",
    "agents": "Resuming 200 messages and saving a turn",
    "hot-path": "CPU of a save and a load, by size",
    "cold-start": "Cold start of a fresh process",
}


def publish(findings: Findings) -> None:
    """Draw the plots into ``docs/benchmarks`` and write the page's section."""
    for old in PLOTS.glob("*.svg"):
        old.unlink()
    drawn = {path.stem for path in plots.draw(findings, PLOTS)}
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n" + section(findings, drawn) + END + after)


def section(findings: Findings, drawn: set[str]) -> str:
    """The text between the comments."""
    lines = [
        _machine(findings),
        "",
        "| what | subject | target | median (10–90 %) | |",
        "|---|---|---|---|---|",
    ]
    for target, found in measured_targets(findings):
        result = "not measured" if found is None else "reached" if target.holds(found) else "**not reached**"
        lines.append(f"| {target.title} | {target.subject} | {target.bound} | {spread(found)} | {result} |")
    for name, title in _SHOWN.items():
        if name in drawn:
            lines += ["", f"![{title}](benchmarks/{name}.svg)"]
    return "\n".join(lines) + "\n"


def _machine(findings: Findings) -> str:
    facts = findings.facts
    text = (
        f"Measured on {facts['date']}: {facts['cores']} cores ({facts['processor'] or 'unknown'}), {facts['system']}, "
        f"Python {facts['python']}, client and server on the same machine. Ratios are medians over rounds in which "
        "the contenders ran in turn."
    )
    return "**A quick run, to show the form: no figure here counts.** " + text if facts["quick"] else text
