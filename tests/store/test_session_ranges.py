"""Ranges of sessions: they cover every session once, now and later, and their listings prove what has not changed."""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from both_sides import SyncSide
from conformance.samples import event_of, report_of, say, session_of
from sessionbucket import InvalidArgumentError, SessionRange
from sessionbucket._core.session_ranges import RangeSplitter


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, side: SyncSide, tmp_path: Path) -> Any:
    is_memory = request.param == "memory"
    bucket = side.make("MemoryBucket") if is_memory else side.file_bucket(tmp_path, fsync=False)
    return side.store(bucket, "agents")


def fill(store: Any, *ids: str) -> None:
    for id in ids:
        store.save(session_of(id), overwrite=True)


def ids_of(store: Any, ranges: list[SessionRange]) -> list[str]:
    return [found.id for each in ranges for found in store.ranges.sessions(each)]


def test_the_ranges_cover_every_session_once_and_those_of_later_saves(store: Any):
    fill(store, *(f"{owner}/chat-{number:03}" for owner in ("alice", "bob") for number in range(30)))
    ranges = store.ranges.split(4)
    assert len(ranges) == 4
    sizes = [len(ids_of(store, [each])) for each in ranges]
    assert all(8 <= size <= 22 for size in sizes), sizes
    assert ids_of(store, ranges) == store.list()
    fill(store, "Ä", "alice/chat-0145", "zoe", "a")
    store.delete("bob/chat-000")
    assert ids_of(store, pickle.loads(pickle.dumps(ranges))) == store.list()


def test_a_prefix_has_ranges_of_its_own(store: Any):
    fill(store, "alice/1", "alice/22", "alice/3", "bob/1")
    ranges = store.ranges.split(2, prefix="alice/")
    assert {each.prefix for each in ranges} == {"alice/"}
    assert ids_of(store, ranges) == ["alice/1", "alice/22", "alice/3"]


def test_an_empty_store_has_one_range(store: Any):
    ranges = store.ranges.split(8)
    assert ranges == [SessionRange()]
    fill(store, "a")
    assert ids_of(store, ranges) == ["a"]


def test_the_parts_of_a_range_are_those_of_its_sessions(store: Any):
    fill(store, *(f"s{number}x" for number in range(10)))
    for number in (1, 2, 8):
        store.save_trace_events(f"s{number}x", [event_of("x")])
    store.save_verification_reports("s3x", [report_of("y")])
    first, second = store.ranges.split(2)
    assert [part.id for part in store.ranges.parts(first, "traces")] == ["s1x", "s2x"]
    assert [part.stem for part in store.ranges.parts(second, "traces")] == ["s8x"]
    with pytest.raises(InvalidArgumentError, match="artifacts"):
        list(store.ranges.parts(first, "artifacts"))


def test_bad_arguments_are_refused(store: Any):
    for call in (lambda: store.ranges.split(0), lambda: list(store.ranges.sessions("a"))):
        with pytest.raises(InvalidArgumentError):
            call()


def test_a_token_is_the_etag_of_a_bucket(side: SyncSide):
    store = side.store(side.make("MemoryBucket"))
    session = session_of("a")
    store.save(session)
    (before,) = store.ranges.sessions(SessionRange())
    assert before.token == store.raw.get("a").info.version
    say(session, "more")
    store.save(session)
    (after,) = store.ranges.sessions(SessionRange())
    assert after.token != before.token


def test_a_file_of_the_last_two_seconds_has_no_token(side: SyncSide, tmp_path: Path):
    import os

    store = side.store(side.file_bucket(tmp_path, fsync=False))
    fill(store, "a")
    (young,) = store.ranges.sessions(SessionRange())
    assert young.token is None
    at = (tmp_path / "a.json").stat().st_mtime - 10
    os.utime(tmp_path / "a.json", (at, at))
    (old,) = store.ranges.sessions(SessionRange())
    assert old.token


names = st.sets(st.text("ab-.~", min_size=1, max_size=6), min_size=1, max_size=60)


@given(names, st.integers(1, 20))
def test_borders_are_in_order_and_name_no_session(stems: set[str], count: int):
    splitter = RangeSplitter()
    rows = sorted(f"{stem}.json" for stem in stems)
    for row in rows:
        splitter.add(row)
    ranges = splitter.ranges("", count)
    assert len(ranges) <= count
    assert all(one.until == two.after for one, two in pairwise(ranges))
    borders = [each.after for each in ranges[1:]]
    assert borders == sorted(set(borders))
    for border in borders:
        following = next(row for row in rows if row > border)
        assert following.startswith(border)
        assert len(border) < len(following) - len(".json")


def test_a_long_listing_is_split_evenly_in_bounded_memory():
    splitter = RangeSplitter()
    for number in range(20_000):
        splitter.add(f"{number * 499:07}-x.json")
    assert len(splitter._blocks) <= 4096
    bounds = [int(each.after.ljust(7, "0")) for each in splitter.ranges("", 10)[1:]]
    assert len(bounds) == 9
    assert all(abs(bound - 998_000 * at) < 300_000 for at, bound in enumerate(bounds, start=1))
