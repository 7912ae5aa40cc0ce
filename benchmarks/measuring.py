"""Measures contenders in turn, so that a slow phase of the machine slows all of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Timing:
    """The seconds of one call: wall-clock time, and CPU time of all threads of this process."""

    elapsed: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and their 10th and 90th percentile."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The spread of one or more values."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        tenths = statistics.quantiles(values, n=10, method="inclusive")
        return cls(statistics.median(values), tenths[0], tenths[-1])


def race(
    contenders: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    calls: int = 1,
    before: Callable[[], object] | None = None,
) -> dict[str, list[Timing]]:
    """Run each contender ``calls`` times in each of ``rounds`` rounds. Returns its mean call of each round.

    Each contender runs once before, to connect and to load its modules. Every other round runs in reverse order, so that no
    contender always follows the same one. The garbage is collected before each turn. The collector stays on during a turn,
    because the garbage of a contender is a part of its cost. ``before`` runs before each turn and is not measured.
    """
    for contender in contenders.values():
        contender()
    timings: dict[str, list[Timing]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders) if number % 2 == 0 else list(reversed(list(contenders)))
        for name in names:
            if before is not None:
                before()
            timings[name].append(_timed(contenders[name], calls))
    return timings


def _timed(contender: Callable[[], object], calls: int) -> Timing:
    gc.collect()
    elapsed, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        contender()
    return Timing((time.perf_counter() - elapsed) / calls, (time.process_time() - cpu) / calls)
