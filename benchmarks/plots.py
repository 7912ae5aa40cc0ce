"""The findings as SVG plots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullLocator

from benchmarks.findings import CPU, ELAPSED, RATE, Findings, Samples
from benchmarks.measuring import Spread
from benchmarks.report import amount
from benchmarks.scenarios.agents import LANGGRAPH, OPENAI, SNAPSHOTS, STRANDS
from benchmarks.scenarios.cold_start import PYTHON_ALONE, conversation
from benchmarks.scenarios.costs import RESUME, TURN
from benchmarks.scenarios.latency import DELAYS
from benchmarks.servers import SEAWEEDFS, delayed, is_delayed
from benchmarks.targets import measured_targets

_COLOURS = {
    "sessionbucket": "#1f6fb4",
    "sessionbucket (boto3)": "#1f6fb4",
    "sessionbucket (aioboto3)": "#1f6fb4",
    "sessionbucket (folder)": "#1f6fb4",
    "sessionbucket (obstore)": "#d1601c",
    "sessionbucket (boto3), parallel": "#7fb2dd",
    "sessionbucket (obstore), parallel": "#eba77c",
    conversation("boto3"): "#7fb2dd",
    conversation("obstore"): "#eba77c",
}
_RIVALS = {
    "bare boto3": "#4d4d4d",
    "bare boto3, If-Match by hand": "#4d4d4d",
    "bare aiobotocore": "#4d4d4d",
    "bare obstore": "#a0a0a0",
    STRANDS: "#6b8e4e",
    SNAPSHOTS: "#a9c48f",
    LANGGRAPH: "#8f5f9e",
    OPENAI: "#b8925a",
    "rclone": "#6b8e4e",
    "aws": "#8f5f9e",
}
_OTHER_COLOUR = "#c0c0c0"
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "sessionbucket",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "savefig.bbox": "tight",
}
_SECONDS_TO_MS = 1000


def draw(findings: Findings, folder: Path) -> list[Path]:
    """Draw each plot that has findings into the folder, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[Path] = []
    with plt.rc_context(_STYLE):
        for name, plot in _PLOTS.items():
            figure = plot(findings)
            if figure is not None:
                figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
                plt.close(figure)
                drawn.append(folder / f"{name}.svg")
    return drawn


def _targets(findings: Findings) -> Any:
    """Every target as the used share of its limit, so that all share one axis. Left of the line is better."""
    rows = [
        (f"{target.title}\n{target.subject}, target {target.bound}", target, found)
        for target, found in measured_targets(findings)
        if found
    ]
    if not rows:
        return None
    figure, axes = plt.subplots(figsize=(8, 0.5 * len(rows) + 1))
    for height, (_, target, found) in enumerate(reversed(rows)):
        low, middle, high = (
            (target.limit / value if target.at_least else value / target.limit)
            for value in (found.low, found.median, found.high)
        )
        colour = "#2b7a3d" if target.holds(found) else "#b3261e"
        axes.plot([low, high], [height, height], color=colour, linewidth=2, alpha=0.5)
        axes.plot([middle], [height], "o", color=colour)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [label for label, *_ in reversed(rows)], fontsize=7)
    axes.set_xscale("log")
    axes.set_xlabel("used share of the limit, log scale (left of 1: reached); bars: 10–90 % of rounds")
    return figure


def _lines(findings: Findings, scenario: str, quantity: str, labels: tuple[str, str], scale: float) -> Any:
    """One panel for each operation and server, with a line for each subject over the varied quantity."""
    samples = [
        each for each in findings.find(scenario=scenario, quantity=quantity) if not is_delayed(each.where)
    ]
    panels = list(dict.fromkeys((each.operation, each.where) for each in samples))
    if not panels:
        return None
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(4.6 * columns, 3 * rows), squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, (operation, where) in zip(grid.flat, panels, strict=False):
        chosen = [each for each in samples if (each.operation, each.where) == (operation, where)]
        for subject in dict.fromkeys(each.subject for each in chosen):
            _line(axes, [each for each in chosen if each.subject == subject], scale)
        axes.set(
            xscale="log", yscale="log", title=f"{operation}, {where}", xlabel=labels[0], ylabel=labels[1]
        )
        cases = sorted({each.case for each in chosen})
        axes.set_xticks(cases, [f"{case:,}" for case in cases])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.yaxis.set_minor_locator(NullLocator())
        axes.grid(alpha=0.25)
    _legend(figure, [axes for axes in grid.flat if axes.get_visible()])
    figure.tight_layout()
    return figure


def _line(axes: Any, points: list[Samples], scale: float) -> None:
    points = sorted(points, key=lambda each: each.case)
    spreads = [Spread.of([value * scale for value in each.values]) for each in points]
    cases = [each.case for each in points]
    colour = _colour(points[0].subject)
    dashes = "-" if points[0].subject in _COLOURS else "--"
    axes.plot(
        cases, [each.median for each in spreads], dashes, marker=".", color=colour, label=points[0].subject
    )
    axes.fill_between(
        cases, [each.low for each in spreads], [each.high for each in spreads], color=colour, alpha=0.15
    )


def _legend(figure: Any, all_axes: list[Any]) -> None:
    found = {
        label: handle
        for axes in all_axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        found.values(), found.keys(), loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False
    )


def _colour(subject: str) -> str:
    return (_COLOURS | _RIVALS).get(subject, _OTHER_COLOUR)


def _bars(findings: Findings, scenario: str, title: str) -> Any:
    """One panel for each operation and place, with a bar for each subject."""
    samples = [
        each for each in findings.find(scenario=scenario, quantity=ELAPSED) if not is_delayed(each.where)
    ]
    panels = list(dict.fromkeys((each.operation, each.where) for each in samples))
    if not panels:
        return None
    figure, grid = plt.subplots(len(panels), 1, figsize=(7, 1.6 * len(panels)), squeeze=False)
    for axes, (operation, where) in zip(grid.flat, panels, strict=True):
        _time_bars(axes, [each for each in samples if (each.operation, each.where) == (operation, where)])
        axes.set_title(f"{operation}, {where}" if where != "process" else operation)
    grid.flat[-1].set_xlabel(title)
    figure.tight_layout()
    return figure


def _time_bars(axes: Any, samples: list[Samples]) -> None:
    bars = []
    for each in samples:
        found = Spread.of([value * _SECONDS_TO_MS for value in each.values])
        bars.append((each.subject, found, amount(each.quantity, Spread.of(each.values).median)))
    _bars_of(axes, bars)


def _bars_of(axes: Any, bars: list[tuple[str, Spread, str]]) -> None:
    """One bar for each subject, the first at the top, with its text at the end."""
    for height, (subject, found, text) in enumerate(reversed(bars)):
        error = [[found.median - found.low], [found.high - found.median]]
        axes.barh(height, found.median, xerr=error, color=_colour(subject), height=0.6)
        axes.annotate(text, (found.high, height), (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(bars)), [subject for subject, *_ in reversed(bars)])
    axes.margins(x=0.2)


def _front_page(findings: Findings) -> Any:
    """A resume, a turn, a cold start, and the dollars of a million turns: ours beside what people use instead."""
    measured = {
        "resume a conversation of 200 messages, ms": ("agents", "resume"),
        "save a turn of it, ms": ("agents", "turn"),
        "start a process and load 50 kB, ms": ("cold_start", "first session"),
    }
    panels = {
        title: [
            each
            for each in findings.find(
                scenario=scenario, operation=operation, quantity=ELAPSED, where=SEAWEEDFS
            )
            if each.subject != PYTHON_ALONE
        ]
        for title, (scenario, operation) in measured.items()
    }
    if not all(panels.values()) or not findings.costs:
        return None
    figure, grid = plt.subplots(len(panels) + 1, 1, figsize=(7, 2 * (len(panels) + 1)))
    for axes, (title, samples) in zip(grid.flat, panels.items(), strict=False):
        _time_bars(axes, samples)
        axes.set_title(title)
    _dollars(grid.flat[-1], findings)
    figure.tight_layout()
    return figure


def _dollars(axes: Any, findings: Findings) -> None:
    """The requests of a resume and of the save of a turn, on AWS."""
    costs = {(cost.operation, cost.subject): cost for cost in findings.costs}
    bars = []
    for (operation, subject), resume in costs.items():
        if operation == RESUME:
            turn = costs[TURN, subject]
            dollars = resume.dollars_per_million + turn.dollars_per_million
            requests = sum(resume.requests.values()) + sum(turn.requests.values())
            bars.append((subject, Spread.of([dollars]), f"${dollars:,.2f}, {requests} requests a turn"))
    _bars_of(axes, bars)
    axes.set_title("dollars of a million turns on AWS, each with a resume and a save")


def _latency(findings: Findings) -> Any:
    """A resume and a turn over the latency of the server, with a line for each subject."""
    samples = list(findings.find(scenario="agents", quantity=ELAPSED))
    delays = {delayed(SEAWEEDFS, delay): delay for delay in DELAYS}
    chosen = [each for each in samples if each.where in delays]
    if not chosen:
        return None
    figure, grid = plt.subplots(1, 2, figsize=(9.2, 3))
    for axes, operation in zip(grid.flat, ("resume", "turn"), strict=True):
        for subject in dict.fromkeys(each.subject for each in chosen):
            points = [each for each in chosen if (each.subject, each.operation) == (subject, operation)]
            _line(axes, [replace(each, case=delays[each.where]) for each in points], _SECONDS_TO_MS)
        axes.set(yscale="log", title=operation, xlabel="added ms a response", ylabel="ms, log scale")
        axes.set_xticks(DELAYS)
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.grid(alpha=0.25)
    _legend(figure, list(grid.flat))
    figure.tight_layout()
    return figure


_PLOTS: dict[str, Callable[[Findings], Any]] = {
    "targets": _targets,
    "hot-path": lambda findings: _lines(
        findings, "hot_path", CPU, ("bytes of the session, log scale", "ms of CPU, log scale"), _SECONDS_TO_MS
    ),
    "concurrency": lambda findings: _lines(
        findings, "concurrency", RATE, ("concurrent tasks, log scale", "operations a second, log scale"), 1
    ),
    "writers": lambda findings: _lines(
        findings, "writers", RATE, ("writers, log scale", "updates a second, log scale"), 1
    ),
    "listing": lambda findings: _lines(
        findings, "listing", ELAPSED, ("sessions, log scale", "seconds, log scale"), 1
    ),
    "agents": lambda findings: _bars(findings, "agents", "ms, 200 messages; lines: 10–90 % of rounds"),
    "front-page": _front_page,
    "latency": _latency,
    "cold-start": lambda findings: _bars(findings, "cold_start", "ms; lines: 10–90 % of rounds"),
    "copying": lambda findings: _bars(findings, "copying", "ms; lines: 10–90 % of rounds"),
}
