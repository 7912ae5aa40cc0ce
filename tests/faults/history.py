"""Histories: writers append unique tokens under faults, and the reported outcomes are compared with the tokens stored at the end."""

from __future__ import annotations

import math
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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


def seconds_of(seconds: float) -> float:
    """The seconds of a history: those of the environment, or as given."""
    return float(_variables[SOAK_SECONDS] or seconds)


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
        sys.stdout.write(
            f"history of {len(self.reported)} operations: {dict(Counter(self.reported.values()))}\n"
        )

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


@dataclass(frozen=True)
class Event:
    """One operation of a writer on a session. The times are of the monotonic clock, which all processes of a machine share.

    An append adds its token, an overwrite replaces all tokens by its own, and a delete removes all.
    """

    kind: Literal["append", "overwrite", "delete"]
    session: str
    token: str
    outcome: Outcome
    start: float
    end: float

    @property
    def latest(self) -> float:
        """The latest moment of its effect. A request of an operation with an unknown outcome may arrive at any time."""
        return math.inf if self.outcome == "unknown" else self.end


def check_events(events: Sequence[Event], found: Mapping[str, Sequence[str]], seed: int) -> None:
    """Compare the events of all writers with the tokens that each session has at the end.

    A token is stored once at most, and never when its write was reported as not written. A token whose write was acknowledged
    is missing only when an overwrite or a delete may have followed. No token survives an acknowledged overwrite or delete that
    started after the acknowledgement of the token.
    """
    by_token = {event.token: event for event in events}
    assert len(by_token) == len(events), "two events have one token"
    wrong: list[str] = []
    for session, tokens in found.items():
        counts = Counter(tokens)
        own = [event for event in events if event.session == session]
        resets = [event for event in own if event.kind != "append" and event.outcome != "not written"]
        wrong += [f"{token}: stored {count} times" for token, count in counts.items() if count > 1]
        wrong += [f"{token}: of no writer" for token in counts if token not in by_token]
        for event in own:
            if event.kind == "delete":
                continue
            others = [reset for reset in resets if reset is not event]
            if event.outcome == "not written" and counts[event.token]:
                wrong.append(f"{event}: stored")
            if event.outcome == "written":
                if not counts[event.token] and all(reset.latest < event.start for reset in others):
                    wrong.append(f"{event}: lost")
                survived = [
                    reset for reset in others if reset.outcome == "written" and event.end < reset.start
                ]
                if counts[event.token] and survived:
                    wrong.append(f"{event}: survived {survived[0]}")
    assert not wrong, f"{wrong[:5]}; set {SEED}={seed} for the same faults"
