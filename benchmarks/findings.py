"""The results of a run: a flat list of samples, from which tables, plots and targets are computed."""

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
    """The setting of a race: see ``Samples``."""

    scenario: str
    operation: str
    where: str
    case: int


@dataclass(frozen=True, slots=True)
class Samples:
    """The values of one contender in an operation, one for each round. Rounds of one race have the same positions."""

    scenario: str
    operation: str
    where: str
    """The name of the server, ``folder``, or ``process`` when neither takes part."""
    case: int
    """The varied quantity: the size in bytes, or the number of tasks, writers, sessions or messages."""
    subject: str
    against: str | None
    """The subject by whose rounds these are divided."""
    quantity: str
    values: list[float]


@dataclass(frozen=True, slots=True)
class Cost:
    """The requests of an operation, counted at the server, by price class."""

    operation: str
    subject: str
    requests: dict[str, int]
    dollars_per_million: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The import times of a cold start in milliseconds, the slowest first; each without the imports inside it."""

    subject: str
    total_ms: float
    packages: dict[str, float]
    """By top-level package."""
    modules: dict[str, float]


@dataclass(slots=True)
class Findings:
    """All results of a run."""

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
        """Add the rounds of a race, as elapsed time and CPU time. ``against`` names the rival of all subjects, or of each."""
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
        """Add the rounds of one quantity."""
        for subject, rounds in values.items():
            rival = against if isinstance(against, str) else against.get(subject)
            found = rival if rival in values and rival != subject else None
            self.samples.append(
                Samples(**asdict(setting), subject=subject, against=found, quantity=quantity, values=rounds)
            )

    def find(self, **wanted: Any) -> Iterator[Samples]:
        """Yield the samples whose fields have the wanted values."""
        for samples in self.samples:
            if all(getattr(samples, name) == value for name, value in wanted.items()):
                yield samples

    def ratio(self, ours: Samples, against: str | None = None) -> Spread | None:
        """The spread of our values divided by the rival's, round by round. None when the rival was not in the race."""
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
        """Write all results as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the results of an earlier run."""
        found = json.loads(path.read_text())
        return cls(
            found["facts"],
            [Samples(**each) for each in found["samples"]],
            [Cost(**each) for each in found["costs"]],
            [Breakdown(**each) for each in found["breakdowns"]],
            found["notes"],
        )
