"""Histories: writers append unique tokens under faults, and the reported outcomes are compared with the tokens stored at the end."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sessionbucket import SessionBucketError, SessionConflictError, SessionData, StoreUnavailableError

Outcome = Literal["written", "not written", "unknown"]

SEED = "SESSIONBUCKET_SEED"
UPDATES = "SESSIONBUCKET_UPDATES"
SOAK_SECONDS = "SESSIONBUCKET_SOAK_SECONDS"

# Read at import: a fixture removes the variables of this package from the environment.
_variables = {name: os.environ.get(name, "") for name in (SEED, UPDATES, SOAK_SECONDS)}


def seed() -> int:
    """The seed of this run: that of the environment, which reproduces a failed run, or a new one."""
    return int(_variables[SEED]) if _variables[SEED] else random.SystemRandom().randrange(1 << 32)


def duration_is_set() -> bool:
    """Whether the environment sets the number of updates, or the seconds that they take."""
    return bool(_variables[UPDATES] or _variables[SOAK_SECONDS])


def rounds(count: int) -> Iterator[int]:
    """``count`` updates for each writer, or as many as the seconds of the environment allow."""
    if not _variables[SOAK_SECONDS]:
        yield from range(int(_variables[UPDATES] or count))
        return
    until = time.monotonic() + float(_variables[SOAK_SECONDS])
    number = 0
    while time.monotonic() < until:
        yield number
        number += 1


@dataclass
class History:
    """The reported outcome of each token."""

    seed: int
    reported: dict[str, Outcome] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)

    def check(self, found: Sequence[str]) -> None:
        """Compare the reported outcomes with the tokens that are stored at the end."""
        counts = Counter(found)
        wrong = {
            token: (outcome, counts[token])
            for token, outcome in self.reported.items()
            if not {
                "written": counts[token] == 1,
                "not written": counts[token] == 0,
                "unknown": counts[token] <= 1,
            }[outcome]
        }
        unwritten = set(found) - set(self.reported)
        reproduce = f"set {SEED}={self.seed} for the same faults"
        assert not wrong, f"reported outcome and number of occurrences: {wrong}; {reproduce}"
        assert not unwritten, f"tokens of no writer: {sorted(unwritten)}; {reproduce}"
        assert not self.errors, f"{self.errors[:3]}; {reproduce}"

    def share(self, outcome: Outcome) -> float:
        return sum(each == outcome for each in self.reported.values()) / len(self.reported)


def writer(
    name: str, store: Any, history: History, sessions: Sequence[str], count: int
) -> Callable[[], None]:
    """A function that appends tokens to the sessions in turn, and records the outcome of each."""

    def run() -> None:
        for number in rounds(count):
            token = f"{name}-{number}"
            history.reported[token] = append(store, sessions[number % len(sessions)], token, history)

    return run


def append(store: Any, id: str, token: str, history: History) -> Outcome:
    try:
        store.update(
            id,
            lambda session: session.tool_names.append(token),
            create=lambda: SessionData(id=id),
            attempts=6,
        )
    except (SessionConflictError, StoreUnavailableError) as error:
        return error.outcome
    except SessionBucketError as error:  # no fault of the proxy explains another error
        history.errors.append(error)
        return "unknown"
    return "written"
