"""What a HEAD tells of a write whose answer was lost is true, whatever others did meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from sessionbucket._core.objects import Absent, Match, ObjectInfo, holds
from sessionbucket._core.write_ids import LENGTH, Verdict, chain_of, judge, new_chain, to_metadata


class Event(Enum):
    ARRIVES = auto()  # a request of ours reaches the server, for the first time or again
    BUILT_UPON = auto()  # someone else saves on top of what is there
    OVERWRITTEN = auto()  # someone else writes unconditionally
    FOREIGN = auto()  # another program writes, without a chain
    DELETED = auto()


def info(version: int, chain: tuple[str, ...]) -> ObjectInfo:
    metadata = to_metadata(chain) if chain else {}
    return ObjectInfo("s.json", 1, datetime(2026, 1, 1, tzinfo=UTC), f'"{version}"', metadata=metadata)


@dataclass
class Server:
    """One object, and the write of ours whose answer is lost."""

    there: ObjectInfo | None
    accepted: int = 0
    versions: count = field(default_factory=count)

    def __post_init__(self) -> None:
        base = chain_of(self.there) if self.there else ()
        self.condition = Match(self.there.version or "") if self.there else Absent()
        self.base = base[0] if base else None
        self.chain = new_chain(base)

    def meet(self, event: Event) -> None:
        version = next(self.versions)
        match event:
            case Event.ARRIVES:
                if holds(self.condition, self.there.version if self.there else None):
                    self.accepted += 1
                    self.there = info(version, self.chain)
            case Event.BUILT_UPON:
                self.there = info(version, new_chain(chain_of(self.there) if self.there else ()))
            case Event.OVERWRITTEN:
                self.there = info(version, new_chain(()))
            case Event.FOREIGN:
                self.there = info(version, ())
            case Event.DELETED:
                self.there = None

    def verdict(self) -> Verdict:
        return judge(self.chain[0], self.base, self.there)


starts = st.one_of(
    st.none(),
    st.just(info(-1, ())),
    st.integers(1, LENGTH).map(
        lambda length: info(-1, tuple(f"before {number}" for number in range(length)))
    ),
)
events = st.lists(st.sampled_from(Event), max_size=2 * LENGTH)
long_histories = st.lists(
    st.sampled_from([Event.ARRIVES, *[Event.BUILT_UPON] * 5]), min_size=LENGTH - 3, max_size=LENGTH + 3
)


@given(starts, st.one_of(events, long_histories))
def test_a_verdict_is_true_now_and_stays_true(start: ObjectInfo | None, history: list[Event]) -> None:
    server = Server(start)
    said_not_written = False
    deleted = False
    for event in history:
        server.meet(event)
        deleted = deleted or event is Event.DELETED
        match server.verdict():
            case Verdict.WRITTEN:
                assert server.accepted
                assert chain_of(server.there)[0] == server.chain[0]
            case Verdict.BUILT_UPON:
                assert server.accepted
            case Verdict.NOT_WRITTEN:
                assert not server.accepted
                said_not_written = True
            case Verdict.UNCHANGED:
                # One case can't be told: a create that was done, and deleted by someone else before we looked.
                assert not server.accepted or (start is None and deleted)
    if said_not_written:
        assert not server.accepted


@given(starts, long_histories)
def test_without_overwrites_and_deletes_the_chain_settles_it_for_its_length(
    start: ObjectInfo | None, history: list[Event]
) -> None:
    """Unknown is what is beyond the chain, and a create that met another's."""
    server = Server(start)
    passed = 0
    for event in history:
        before = server.accepted
        server.meet(event)
        passed = 0 if server.accepted > before else passed + (event is Event.BUILT_UPON)
        if server.accepted and passed < LENGTH:
            assert server.verdict() in (Verdict.WRITTEN, Verdict.BUILT_UPON)
        if not server.accepted and start is not None and passed < LENGTH:
            assert server.verdict() in (Verdict.UNCHANGED, Verdict.NOT_WRITTEN)
