"""Histories: writers append tokens of their own while faults befall them, and what they were told is held against what
is there at the end."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sessionbucket import SessionBucketError, SessionConflictError, SessionData, StoreUnavailableError

Told = Literal["written", "not written", "unknown"]

SEED = "SESSIONBUCKET_SEED"
UPDATES = "SESSIONBUCKET_UPDATES"
SOAK_SECONDS = "SESSIONBUCKET_SOAK_SECONDS"

# Read when the tests are collected: later a fixture clears the environment of this package's variables.
_given = {name: os.environ.get(name, "") for name in (SEED, UPDATES, SOAK_SECONDS)}


def seed() -> int:
    """The seed of this run: from the environment, so that a failed one can be made again, or a new one."""
    return int(_given[SEED]) if _given[SEED] else random.SystemRandom().randrange(1 << 32)


def rounds(count: int) -> Iterator[int]:
    """``count`` updates for each writer, or as many as go into the seconds that the environment gives."""
    if not _given[SOAK_SECONDS]:
        yield from range(int(_given[UPDATES] or count))
        return
    until = time.monotonic() + float(_given[SOAK_SECONDS])
    number = 0
    while time.monotonic() < until:
        yield number
        number += 1


@dataclass
class History:
    """What each writer was told of each of its tokens."""

    seed: int
    told: dict[str, Told] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)

    def check(self, found: Sequence[str]) -> None:
        """Hold it against the tokens that are there at the end."""
        counts = Counter(found)
        wrong = {
            token: (told, counts[token])
            for token, told in self.told.items()
            if not {
                "written": counts[token] == 1,
                "not written": counts[token] == 0,
                "unknown": counts[token] <= 1,
            }[told]
        }
        invented = set(found) - set(self.told)
        again = f"set {SEED}={self.seed} for the same faults"
        assert not wrong, f"told, and found so often: {wrong}; {again}"
        assert not invented, f"nobody wrote {sorted(invented)}; {again}"
        assert not self.errors, f"{self.errors[:3]}; {again}"

    def share(self, told: Told) -> float:
        return sum(each == told for each in self.told.values()) / len(self.told)


def writer(
    name: str, store: Any, history: History, sessions: Sequence[str], count: int
) -> Callable[[], None]:
    """Appends tokens to the sessions in turn, and notes what it is told of each."""

    def run() -> None:
        for number in rounds(count):
            token = f"{name}-{number}"
            history.told[token] = append(store, sessions[number % len(sessions)], token, history)

    return run


def append(store: Any, id: str, token: str, history: History) -> Told:
    try:
        store.update(
            id,
            lambda session: session.tool_names.append(token),
            create=lambda: SessionData(id=id),
            attempts=6,
        )
    except (SessionConflictError, StoreUnavailableError) as error:
        return error.outcome
    except SessionBucketError as error:  # nothing else is to be expected of these faults
        history.errors.append(error)
        return "unknown"
    return "written"
