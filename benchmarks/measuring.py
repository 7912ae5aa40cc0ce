"""Contenders measured in turn, so that what slows the machine for a while slows all of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Timing:
    """What one call took, in seconds: on the clock on the wall, and of this process's CPU (all its threads)."""

    elapsed: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and the tenth and ninetieth percentile."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The spread of one value or more."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        tenths = statistics.quantiles(values, n=10, method="inclusive")
        return cls(statistics.median(values), tenths[0], tenths[-1])


def race(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int, calls: int = 1
) -> dict[str, list[Timing]]:
    """Let each contender run ``calls`` times in each of ``rounds`` rounds; gives its mean call, round by round.

    All are run once before, so that each has its connections and has loaded what it needs. Every other round goes
    backwards, so that nobody always comes after the same one. Garbage is collected before each turn, not within
    it; the collector stays on, since what a contender leaves to it is a part of its cost.
    """
    for contender in contenders.values():
        contender()
    timings: dict[str, list[Timing]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders) if number % 2 == 0 else list(reversed(list(contenders)))
        for name in names:
            timings[name].append(_timed(contenders[name], calls))
    return timings


def _timed(contender: Callable[[], object], calls: int) -> Timing:
    gc.collect()
    elapsed, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        contender()
    return Timing((time.perf_counter() - elapsed) / calls, (time.process_time() - cpu) / calls)
