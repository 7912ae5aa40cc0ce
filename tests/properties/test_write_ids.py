"""The resolution of a write whose response was lost is true for any writes of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from sessionbucket import IfAbsent, IfMatch, ObjectInfo
from sessionbucket._core.write_ids import (
    HISTORY_LENGTH,
    Resolution,
    history_metadata,
    new_write_history,
    resolve_outcome,
    written_version,
)


class Event(Enum):
    ARRIVES = auto()  # a request of ours reaches the server, for the first time or again
    BUILT_UPON = auto()  # another writer saves on top of the current version
    OVERWRITTEN = auto()  # another writer writes unconditionally
    FOREIGN = auto()  # another program writes, without a history
    DELETED = auto()


def info(version: int, history: tuple[str, ...]) -> ObjectInfo:
    metadata = history_metadata(history) if history else {}
    return ObjectInfo("s.json", 1, datetime(2026, 1, 1, tzinfo=UTC), f'"{version}"', metadata=metadata)


@dataclass
class Server:
    """One object, and our write whose response is lost."""

    current: ObjectInfo | None
    accepted: int = 0
    versions: count = field(default_factory=count)

    def __post_init__(self) -> None:
        base = self.current_history()
        self.condition = IfMatch(self.current.version or "") if self.current else IfAbsent()
        self.base = base[0] if base else None
        self.history = new_write_history(base)

    def current_history(self) -> tuple[str, ...]:
        return written_version(self.current).history if self.current else ()

    def meet(self, event: Event) -> None:
        version = next(self.versions)
        match event:
            case Event.ARRIVES:
                if self.condition.holds(self.current.version if self.current else None):
                    self.accepted += 1
                    self.current = info(version, self.history)
            case Event.BUILT_UPON:
                self.current = info(version, new_write_history(self.current_history()))
            case Event.OVERWRITTEN:
                self.current = info(version, new_write_history())
            case Event.FOREIGN:
                self.current = info(version, ())
            case Event.DELETED:
                self.current = None

    def resolution(self) -> Resolution:
        return resolve_outcome(self.history[0], self.base, self.current)


starts = st.one_of(
    st.none(),
    st.just(info(-1, ())),
    st.integers(1, HISTORY_LENGTH).map(
        lambda length: info(-1, tuple(f"before {number}" for number in range(length)))
    ),
)
events = st.lists(st.sampled_from(Event), max_size=2 * HISTORY_LENGTH)
long_histories = st.lists(
    st.sampled_from([Event.ARRIVES, *[Event.BUILT_UPON] * 5]),
    min_size=HISTORY_LENGTH - 3,
    max_size=HISTORY_LENGTH + 3,
)


@given(starts, st.one_of(events, long_histories))
def test_a_resolution_is_true_and_stays_true(start: ObjectInfo | None, history: list[Event]) -> None:
    server = Server(start)
    was_not_written = False
    deleted = False
    for event in history:
        server.meet(event)
        deleted = deleted or event is Event.DELETED
        match server.resolution():
            case Resolution.WRITTEN:
                assert server.accepted
                assert server.current_history()[0] == server.history[0]
            case Resolution.BUILT_UPON:
                assert server.accepted
            case Resolution.NOT_WRITTEN:
                assert not server.accepted
                was_not_written = True
            case Resolution.UNCHANGED:
                # One case is indistinguishable: a create that was done and then deleted by another writer.
                assert not server.accepted or (start is None and deleted)
    if was_not_written:
        assert not server.accepted


@given(starts, long_histories)
def test_without_overwrites_and_deletes_the_outcome_is_known_for_the_length_of_the_history(
    start: ObjectInfo | None, history: list[Event]
) -> None:
    """It is unknown only beyond the history, and for a create that another create preceded."""
    server = Server(start)
    passed = 0
    for event in history:
        before = server.accepted
        server.meet(event)
        passed = 0 if server.accepted > before else passed + (event is Event.BUILT_UPON)
        if server.accepted and passed < HISTORY_LENGTH:
            assert server.resolution() in (Resolution.WRITTEN, Resolution.BUILT_UPON)
        if not server.accepted and start is not None and passed < HISTORY_LENGTH:
            assert server.resolution() in (Resolution.UNCHANGED, Resolution.NOT_WRITTEN)
