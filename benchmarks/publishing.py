"""The findings in docs/benchmarks.md: tables and plots between comments, which each full run replaces."""

from __future__ import annotations

from pathlib import Path

from benchmarks import comparison, plots
from benchmarks.findings import Findings
from benchmarks.report import spread
from benchmarks.scenarios.integrations import SCENARIO
from benchmarks.targets import measured_targets

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "benchmarks.md"
PLOTS = PROJECT / "docs" / "benchmarks"
BEGIN, END = "<!-- benchmarks: begin (written by make bench) -->", "<!-- benchmarks: end -->"
COMPARISON_BEGIN = "<!-- integrations: begin (written by make bench) -->"
COMPARISON_END = "<!-- integrations: end -->"
_SHOWN = {
    "targets": "Every target as the used share of its limit",
    "agents": "Resuming 200 messages and saving a turn",
    "latency": "The same behind the latency of a cloud",
    "hot-path": "CPU of a save and a load, by size",
    "cold-start": "Cold start of a fresh process",
}


def publish(findings: Findings) -> None:
    """Write the sections of the page that the findings are about, and draw the plots of the first into ``docs/benchmarks``."""
    if any(findings.find(scenario=SCENARIO)):
        _replace(COMPARISON_BEGIN, COMPARISON_END, f"{_machine(findings)}\n\n{comparison.section(findings)}")
    if any(samples.scenario != SCENARIO for samples in findings.samples):
        for old in PLOTS.glob("*.svg"):
            old.unlink()
        drawn = {path.stem for path in plots.draw(findings, PLOTS)}
        _replace(BEGIN, END, section(findings, drawn))


def _replace(begin: str, end: str, text: str) -> None:
    before, _, rest = PAGE.read_text().partition(begin)
    after = rest.partition(end)[2]
    PAGE.write_text(before + begin + "\n" + text + end + after)


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
    load = facts.get("load before", 0)
    if load > facts["cores"]:
        text += (
            f" Other work shared the machine, whose load average was {load} before the run. So times are longer than on an idle one, "
            "and their ratios vary more. Counts of requests are exact."
        )
    return "**A quick run, to show the form: no figure here counts.** " + text if facts["quick"] else text
