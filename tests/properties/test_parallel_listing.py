"""Listing in ranges: for any ids, pages and orders of responses it returns the plain listing's rows, with few more requests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionbucket import Capabilities, MemoryBucket, SessionStore
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import ObjectInfo, ObjectPage
from sessionbucket._core.parallel_listing import KeyRange, KeyRuler, RangePlan


class CountingBucket(MemoryBucket):
    """Returns pages of ``page_limit`` rows, and counts the requests."""

    def __init__(self, page_limit: int) -> None:
        super().__init__()
        self._capabilities = Capabilities(page_limit=page_limit)
        self.requests = 0

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def list_page(self, *arguments: Any, **options: Any) -> ObjectPage:
        self.requests += 1
        return super().list_page(*arguments, **options)


numbers = st.integers(0, 2000)
common = st.sampled_from(
    ["session-2026-11-{:04}", "session-2026-{0}-x", "user:{}/s:1", "{:x}", "a" * 30 + "{}"]
)
numbered = st.builds(lambda pattern, number: pattern.format(number), common, numbers)
skewed = st.builds(lambda length, number: "z" * length + f"{number}", st.integers(0, 12), numbers)
scattered = st.integers(0, 2**64 - 1).map("{:016x}".format)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
ids = st.lists(st.one_of(numbered, skewed, scattered, texts), unique=True, max_size=300)
dense = st.builds(
    lambda start, count, step: [
        f"session-{number:05}" for number in range(start, start + count * step, step)
    ],
    numbers,
    st.integers(0, 400),
    st.integers(1, 50),
)


@settings(max_examples=60)
@given(st.one_of(ids, dense, st.tuples(ids, dense).map(lambda both: [*{*both[0], *both[1]}])), st.data())
def test_any_store_is_listed_as_by_the_plain_listing(ids: list[str], data: st.DataObject):
    page_limit = data.draw(st.integers(1, 40), "page_limit")
    concurrency = data.draw(st.integers(2, 9), "concurrency")
    prefix = data.draw(st.sampled_from(["", "s", "session-2026-11-0", "z"]), "prefix")
    bucket = CountingBucket(page_limit)
    for id in ids:
        bucket.put(StoreKeys("p").of_session(id).session, b"{}")
    store = SessionStore(bucket, "p")
    plain = list(store.iter_sessions(prefix=prefix))
    pages, bucket.requests = bucket.requests, 0
    assert list(store.iter_sessions(prefix=prefix, concurrency=concurrency)) == plain
    assert bucket.requests <= (pages + 1 + 2 * concurrency) * 4 / 3


@settings(max_examples=60)
@given(ids, st.data())
def test_no_row_that_stays_is_lost_for_any_order_of_responses_while_others_come_and_go(
    ids: list[str], data: st.DataObject
):
    keys = sorted(f"{StoreKeys().of_session(id).session}" for id in ids)
    staying = set(data.draw(st.lists(st.sampled_from(keys), unique=True)) if keys else [])
    limit = data.draw(st.integers(1, 20), "limit")
    concurrency = data.draw(st.integers(2, 6), "concurrency")
    plan = RangePlan("", ".json", concurrency=concurrency)
    under_way: list[KeyRange] = []
    rows: list[ObjectInfo] = []
    while not plan.is_finished:
        while len(under_way) < concurrency and (found := plan.next_range()):
            under_way.append(found)
        if under_way:
            done = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
            existing = [key for key in keys if key in staying or data.draw(st.booleans())]
            page = page_of(existing, done.after, limit)
            plan.take(done, page, page.next_start_after)
        while (ready := plan.ready()) is not None:
            rows += ready
    given = [info.key for info in rows]
    assert given == sorted(set(given))
    assert staying <= set(given) <= set(keys)


def page_of(keys: list[str], after: str, limit: int) -> ObjectPage:
    rest = [key for key in keys if key > after]
    objects: list[Any] = [ObjectInfo(key, 0, None) for key in rest[:limit]]  # type: ignore[arg-type]
    return ObjectPage(objects, [], objects[-1].key if len(rest) > limit else None)


PATTERNS = {
    "counted": [f"session-{number:05}" for number in range(20_000)],
    "counted without zeros": [f"session-{number}" for number in range(20_000)],
    "by days": [
        f"session-2026-{month:02}-{day:02}-{number:04}"
        for month in range(1, 13)
        for day in range(1, 29)
        for number in range(60)
    ],
    "by users": [f"user%3A{user}%2Fsession%3A{number}" for user in range(700) for number in range(user % 60)],
    "sparse, dense, and sparse": [
        f"{number:07}"
        for numbers in (range(0, 500_000, 500), range(500_000, 510_000), range(510_000, 3_000_000, 500))
        for number in numbers
    ],
    "hashed": [f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(20_000)],
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_usual_ids_are_listed_in_a_third_of_the_rounds_and_with_little_memory(pattern: str):
    """A round is the concurrent requests: on a distant server the time of a listing is their number."""
    keys = sorted(f"{id}.json" for id in PATTERNS[pattern])
    limit, concurrency = 200, 8
    plan = RangePlan("", ".json", concurrency=concurrency)
    rounds = requests = most_waiting = 0
    given: list[str] = []
    while not plan.is_finished:
        under_way = []
        while len(under_way) < concurrency and (found := plan.next_range()):
            under_way.append(found)
        most_waiting = max(most_waiting, plan._held)
        for found in under_way:
            page = page_of(keys, found.after, limit)
            plan.take(found, page, page.next_start_after)
        while (ready := plan.ready()) is not None:
            given += [info.key for info in ready]
        rounds += 1
        requests += len(under_way)
    pages = -(-len(keys) // limit)
    assert given == keys
    assert rounds <= pages / 3
    assert requests <= pages * 1.3
    assert most_waiting <= 10 * concurrency + 1


@given(st.lists(texts, min_size=2), st.data())
def test_a_ruler_numbers_its_texts_in_their_order_and_returns_them(texts: list[str], data: st.DataObject):
    ruler = KeyRuler(texts)
    for text in texts:
        assert ruler.text(ruler.number(text)) == text
    assert sorted(texts) == sorted(texts, key=ruler.number)


def test_a_key_exactly_at_a_cut_is_returned_once():
    keys = [f"s-{number:03}" for number in range(200)]
    plan = RangePlan("", "", concurrency=4)
    cuts, rows = set(), []
    while not plan.is_finished:
        under_way = []
        while len(under_way) < 4 and (found := plan.next_range()):
            under_way.append(found)
        cuts |= {found.after for found in under_way}
        for found in under_way:
            page = page_of(keys, found.after, 3)
            plan.take(found, page, page.next_start_after)
        while (ready := plan.ready()) is not None:
            rows += ready
    assert cuts & {*keys}
    assert [info.key for info in rows] == keys


def test_ranges_wait_for_a_slow_one_instead_of_filling_the_memory():
    keys = [f"s-{number:05}.json" for number in range(20_000)]
    concurrency = 4
    plan = RangePlan("", ".json", concurrency=concurrency)

    def respond(found: KeyRange) -> int:
        page = page_of(keys, found.after, 10)
        plan.take(found, page, page.next_start_after)
        return len(page.objects)

    first = plan.next_range()
    assert first
    assert respond(first) == len(plan.ready() or [])
    slow = plan.next_range()
    assert slow is first
    rows = 0
    while (found := plan.next_range()) is not None:
        rows += respond(found)
    assert plan.ready() is None
    assert 0 < rows <= 10 * 10 * concurrency
    assert respond(slow) == 10
    assert plan.ready()
