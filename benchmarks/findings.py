"""What was measured: every sample, kept flat, so that tables, plots and verdicts all come from the same file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.measuring import Spread, Timing

ELAPSED, CPU, RATE, MEMORY = "elapsed", "CPU", "rate", "memory"
"""Quantities: seconds a call, CPU seconds a call, calls a second, and bytes of memory."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a race was about: see ``Samples``."""

    scenario: str
    operation: str
    where: str
    case: int


@dataclass(frozen=True, slots=True)
class Samples:
    """What one contender took in an operation, round by round; rounds of one race stand at the same places."""

    scenario: str
    operation: str
    where: str
    """The server's name, ``folder``, or ``process`` where there is neither."""
    case: int
    """What is varied: the size in bytes, the number of tasks, writers, sessions or messages."""
    subject: str
    against: str | None
    """The subject whose rounds this one's are divided by."""
    quantity: str
    values: list[float]


@dataclass(frozen=True, slots=True)
class Cost:
    """The requests that an operation sent, counted at the server, by class of price."""

    operation: str
    subject: str
    requests: dict[str, int]
    dollars_per_million: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Where the imports of a cold start go: milliseconds of their own, the dearest first."""

    subject: str
    total_ms: float
    packages: dict[str, float]
    """By top-level package."""
    modules: dict[str, float]


@dataclass(slots=True)
class Findings:
    """All that a run found."""

    facts: dict[str, Any]
    samples: list[Samples] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    breakdowns: list[Breakdown] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was left out, and why."""

    def add(
        self,
        setting: Setting,
        timings: Mapping[str, Sequence[Timing]],
        *,
        against: str | Mapping[str, str],
    ) -> None:
        """Keep a race's rounds, by elapsed time and by CPU; ``against`` names the rival, of all or of each."""
        measures: dict[str, Callable[[Timing], float]] = {
            ELAPSED: lambda timing: timing.elapsed,
            CPU: lambda timing: timing.cpu,
        }
        for quantity, measure in measures.items():
            values = {subject: [measure(timing) for timing in rounds] for subject, rounds in timings.items()}
            self.add_values(setting, quantity, values, against=against)

    def add_values(
        self,
        setting: Setting,
        quantity: str,
        values: Mapping[str, list[float]],
        *,
        against: str | Mapping[str, str],
    ) -> None:
        """Keep the rounds of one quantity."""
        for subject, rounds in values.items():
            rival = against if isinstance(against, str) else against.get(subject)
            found = rival if rival in values and rival != subject else None
            self.samples.append(
                Samples(**asdict(setting), subject=subject, against=found, quantity=quantity, values=rounds)
            )

    def find(self, **wanted: Any) -> Iterator[Samples]:
        """The samples whose members are as wanted."""
        for samples in self.samples:
            if all(getattr(samples, name) == value for name, value in wanted.items()):
                yield samples

    def ratio(self, ours: Samples, against: str | None = None) -> Spread | None:
        """How many times the rival's value ours is, round by round; None where the rival was not in the race."""
        rival = next(
            self.find(
                scenario=ours.scenario,
                operation=ours.operation,
                where=ours.where,
                case=ours.case,
                quantity=ours.quantity,
                subject=against or ours.against,
            ),
            None,
        )
        if rival is None:
            return None
        return Spread.of([mine / yours for mine, yours in zip(ours.values, rival.values, strict=True)])

    def write(self, path: Path) -> None:
        """Write all of it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """What an earlier run wrote."""
        found = json.loads(path.read_text())
        return cls(
            found["facts"],
            [Samples(**each) for each in found["samples"]],
            [Cost(**each) for each in found["costs"]],
            [Breakdown(**each) for each in found["breakdowns"]],
            found["notes"],
        )
