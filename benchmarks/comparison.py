"""The integrations beside the frameworks' other stores, as one table: a row for each rival, operation and number of turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.findings import CPU, ELAPSED, Findings, Samples
from benchmarks.measuring import Spread
from benchmarks.scenarios.integrations import (
    CLAUDE,
    GROUPS,
    RESUME,
    SCENARIO,
    SNAPSHOTS,
    STRANDS,
    TURN,
    cost_of,
    operation_of,
)

_OURS = "sessionbucket"
_HEADINGS = (
    "beside",
    "after turns",
    "requests: ours",
    "its",
    "p50 ms: boto3, obstore, its",
    "CPU ms: boto3, obstore, its",
    "time, ours ÷ its",
    "CPU, ours ÷ its",
    "",
)


@dataclass(frozen=True, slots=True)
class Row:
    """Ours by each engine beside one rival."""

    group: str
    operation: str
    rival: str
    turns: int
    requests: tuple[str, str]
    """Ours, and the rival's."""
    medians: dict[str, list[float]]
    """By quantity: ours by each engine and the rival's, in seconds."""
    ratios: dict[str, list[float]]
    """By quantity: the medians of the ratios of the rounds, by each engine."""

    @property
    def is_ahead(self) -> bool:
        """Whether ours is faster by time and by CPU, with each engine."""
        return all(ratio < 1 for ratios in self.ratios.values() for ratio in ratios)


def rows(findings: Findings) -> Iterator[Row]:
    """The rows that were measured, by framework, operation, rival and turns."""
    for group in GROUPS:
        for operation in (TURN, RESUME):
            found = [*findings.find(scenario=SCENARIO, operation=operation_of(group, operation))]
            rivals = dict.fromkeys(each.subject for each in found if not each.subject.startswith(_OURS))
            for rival in rivals:
                for turns in sorted({each.case for each in found if each.subject == rival}):
                    of_turns = [each for each in found if each.case == turns]
                    yield _row(findings, group, operation, rival, of_turns)


def _row(findings: Findings, group: str, operation: str, rival: str, found: list[Samples]) -> Row:
    turns = found[0].case
    subjects = [*dict.fromkeys(each.subject for each in found if each.subject.startswith(_OURS)), rival]
    medians: dict[str, list[float]] = {}
    ratios: dict[str, list[float]] = {}
    for quantity in (ELAPSED, CPU):
        by_subject = {each.subject: each for each in found if each.quantity == quantity}
        medians[quantity] = [Spread.of(by_subject[subject].values).median for subject in subjects]
        spreads = [findings.ratio(by_subject[subject], rival) for subject in subjects[:-1]]
        ratios[quantity] = [each.median for each in spreads if each]
    costs = {
        cost.subject: cost.requests
        for cost in findings.costs
        if cost.operation == cost_of(group, operation, turns)
    }
    requests = _requests(costs[subjects[0]]), _requests(costs[rival])
    return Row(group, operation, rival, turns, requests, medians, ratios)


def section(findings: Findings) -> str:
    """The table, the reasons for the lines where ours is not ahead, and what was left out."""
    reasons: list[str] = []
    lines = [f"| {' | '.join(_HEADINGS)} |", "|---" * len(_HEADINGS) + "|"]
    before = ""
    for row in rows(findings):
        title = f"{row.group}: {row.operation}"
        if title != before:
            lines.append(f"| **{title}** " + "| " * (len(_HEADINGS) - 1) + "|")
            before = title
        note = "ahead"
        if not row.is_ahead:
            reason = REASONS.get((row.group, row.operation), "not explained")
            reasons += [] if reason in reasons else [reason]
            note = f"({reasons.index(reason) + 1})"
        cells = [
            row.rival,
            f"{row.turns:,}",
            *row.requests,
            *(", ".join(f"{value * 1000:.3g}" for value in row.medians[each]) for each in (ELAPSED, CPU)),
            *(", ".join(_ratio(value) for value in row.ratios[each]) for each in (ELAPSED, CPU)),
            note,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    numbered = [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
    notes = [f"- {note}" for note in findings.notes]
    return "\n".join([*lines, "", *numbered, "", *notes]).rstrip() + "\n"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"  # noqa: PLR2004 (a third digit)


def _requests(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


REASONS = {
    (
        STRANDS,
        TURN,
    ): "Both send as many PUTs. Ours rewrite the end of the conversation, up to 256 KiB, on a condition. Theirs have one message each "
    "and no condition, so a second worker overwrites messages.",
    (
        SNAPSHOTS,
        TURN,
    ): "Both send one PUT with the same bytes. Ours has a condition, so a second worker overwrites nothing.",
    (
        SNAPSHOTS,
        RESUME,
    ): "A new agent restores its snapshot in an event loop of its own, and aioboto3 makes a client for each loop. obstore has "
    "one client for all loops.",
    (
        CLAUDE,
        TURN,
    ): "Both send one PUT. Ours rewrites the end of the transcript, up to 256 KiB, on a condition; theirs has the new entries alone. "
    "In return a resume takes one GET, and one for each sealed segment, and not one for each turn.",
}
"""Why ours is not ahead, by framework and operation."""
