"""The findings as tables in the terminal."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.findings import CPU, ELAPSED, MEMORY, RATE, Findings, Samples
from benchmarks.measuring import Spread
from benchmarks.targets import measured_targets

_THOUSAND = 1000
_SMALL = 0.1
"""Below this a ratio needs a third digit."""
_HEADINGS = {CPU: "CPU", ELAPSED: "time", RATE: "per second", MEMORY: "× body"}


def show(findings: Findings, console: Console) -> None:
    """Print every figure with its ratio and spread, the costs, the import times, the targets, and the notes."""
    for scenario, group in groupby(findings.samples, key=lambda samples: samples.scenario):
        console.print(_figures(findings, scenario, list(group)))
    if findings.costs:
        console.print(_costs(findings))
    if findings.breakdowns:
        console.print(_breakdowns(findings))
    console.print(_targets(findings))
    for note in findings.notes:
        console.print(Text(f"note: {note}", style="dim"))


def amount(quantity: str, value: float) -> str:
    """A value with its unit, with three digits."""
    match quantity:
        case "rate":
            return f"{value:,.0f}"
        case "memory":
            return f"{value:.1f}"
    return f"{value:.2f} s" if value >= 1 else f"{value * _THOUSAND:.3g} ms"


def spread(found: Spread | None) -> str:
    """The median of a ratio, and its 10th and 90th percentile."""
    if found is None:
        return ""
    digits = 2 if found.median >= _SMALL else 3
    return f"{found.median:.{digits}f} ({found.low:.{digits}f}–{found.high:.{digits}f})"


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2), header_style="dim"
    )
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def _figures(findings: Findings, scenario: str, samples: list[Samples]) -> Table:
    table = _table(
        f"\n[bold]{scenario.replace('_', ' ')}[/]",
        "operation",
        "on",
        "of",
        "subject",
        "median",
        "",
        "ratio (10–90 %)",
    )
    table.columns[3].justify = "left"
    before: tuple[str, str, int, str] | None = None
    for each in samples:
        place = (each.operation, each.where, each.case, each.quantity)
        new = place != before
        before = place
        ratio = spread(findings.ratio(each)) if each.against else ""
        table.add_row(
            each.operation if new else "",
            each.where if new else "",
            f"{each.case:,}" if new and each.case else "",
            each.subject,
            amount(each.quantity, Spread.of(each.values).median),
            _HEADINGS[each.quantity],
            ratio,
        )
    return table


def _costs(findings: Findings) -> Table:
    table = _table(
        "\n[bold]requests, and dollars for a million[/]", "operation", "subject", "requests", "dollars"
    )
    table.columns[1].justify = "left"
    for cost in sorted(findings.costs, key=lambda cost: cost.operation):
        requests = ", ".join(f"{count} {kind}" for kind, count in sorted(cost.requests.items())) or "none"
        table.add_row(cost.operation, cost.subject, requests, f"{cost.dollars_per_million:,.2f}")
    return table


def _breakdowns(findings: Findings) -> Table:
    title = "\n[bold]the import times of a cold start[/] (with -X importtime)"
    table = _table(title, "subject", "ms", "", "own ms")
    for column in table.columns[2:]:
        column.justify = "left"
    for each in findings.breakdowns:
        for label, spent in (("packages", each.packages), ("modules", each.modules)):
            slowest = ", ".join(f"{name} {used:.0f}" for name, used in spent.items())
            total = f"{each.total_ms:.0f}" if spent is each.packages else ""
            table.add_row(each.subject if total else "", total, label, slowest)
    return table


def _targets(findings: Findings) -> Table:
    table = _table("\n[bold]targets[/]", "what", "subject", "target", "median (10–90 %)", "")
    table.columns[1].justify = "left"
    for target, found in measured_targets(findings):
        if found is None:
            result = Text("not measured", style="dim")
        elif target.holds(found):
            result = Text("pass", style="green")
        else:
            result = Text("FAIL", style="bold red")
        table.add_row(target.title, target.subject, target.bound, spread(found), result)
    return table
