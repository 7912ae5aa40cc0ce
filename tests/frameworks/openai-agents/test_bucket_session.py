"""What `BucketSession` promises: requests, several workers, lost responses, cancellation, compaction and deletion."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from frameworks.sites import ResponsePause, Site, run, run_hosts

from conformance.locations import Location
from faults.proxy import requests
from faults.proxy_faults import Chaos, drop_response
from sessionbucket import open_async_store, open_store
from sessionbucket.errors import InvalidArgumentError, SessionBucketError, SessionCorruptedError
from sessionbucket.integrations.openai_agents import BucketSession

HOSTS, ADDITIONS, RATE = 2, 25, 0.05


def item(content: Any) -> Any:
    return {"role": "user", "content": content}


def contents(items: list[Any]) -> list[Any]:
    return [each["content"] for each in items]


def files_in(folder: Path) -> list[Path]:
    """The files of a store in a folder, without its locks."""
    return [each for each in folder.rglob("*") if each.is_file() and "locks" not in each.parts]


@pytest.fixture
def url() -> str:
    return f"memory://{uuid4().hex}"


async def items_at(url: Any, session_id: str = "s") -> list[Any]:
    """The items as a new session reads them."""
    session = BucketSession(session_id, url)
    try:
        return await session.get_items()
    finally:
        await session.close()


@pytest.mark.parametrize("session_id", ["plain", "", "a/b", ".", "sealed", "é" * 300, "nul\0"])
async def test_a_session_id_may_be_any_text(tmp_path: Path, session_id: str):
    await BucketSession(session_id, tmp_path).add_items([item(session_id)])
    await BucketSession(session_id, tmp_path).add_items([item("x" * 300_000)])
    assert contents(await items_at(tmp_path, session_id))[0] == session_id
    await BucketSession(session_id, tmp_path).clear_session()
    assert files_in(tmp_path) == []


async def test_limits_are_those_of_the_sqlite_session(url: str):
    session = BucketSession("s", url, session_settings={"limit": 2})
    await session.add_items([item(number) for number in range(5)])
    assert contents(await session.get_items()) == [3, 4]
    assert contents(await session.get_items(3)) == [2, 3, 4]
    assert contents(await session.get_items(-1)) == [0, 1, 2, 3, 4]
    assert await session.get_items(0) == []


async def test_an_open_store_serves_many_sessions_and_stays_open(tmp_path: Path):
    async with open_async_store(tmp_path) as store:
        for number in range(3):
            session = BucketSession(str(number), store)
            await session.add_items([item(number)])
            await session.close()
        assert [contents(await items_at(store, str(number))) for number in range(3)] == [[0], [1], [2]]


@pytest.mark.parametrize("wrong", [None, 1, b"folder"])
def test_another_kind_of_store_is_refused(wrong: Any):
    with pytest.raises(
        InvalidArgumentError, match=r"url_or_store is .* must be a URL, a path or an AsyncSessionStore"
    ):
        BucketSession("s", wrong)


def test_a_sync_store_and_a_bad_session_id_are_refused(url: str):
    with open_store(url) as store, pytest.raises(InvalidArgumentError, match="AsyncSessionStore"):
        BucketSession("s", store)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="session_id is int"):
        BucketSession(1, url)  # type: ignore[arg-type]


async def test_an_item_that_json_cannot_hold_is_refused_and_nothing_is_written(url: str):
    session = BucketSession("s", url)
    with pytest.raises(InvalidArgumentError, match="entry 1"):
        await session.add_items([item("good"), item(object())])
    assert await items_at(url) == []


def test_a_run_of_three_turns_costs_one_get_and_one_put_for_each_addition(site: Site):
    async def story() -> None:
        session = BucketSession("s", site.url())
        assert await session.get_items() == []
        assert site.requests() == {"GET": 1}
        for number in range(3):
            await session.add_items([item(number)])
        assert site.requests() == {"PUT": 3}
        assert contents(await session.get_items(2)) == [1, 2]
        assert site.requests() == {"GET": 1}
        assert await session.pop_item() == item(2)
        assert site.requests() == {"PUT": 1}
        await session.add_items([])
        assert site.requests() == {}
        await session.clear_session()
        assert site.requests() == {"LIST": 1, "DELETE": 1}
        assert await session.pop_item() is None
        assert site.requests() == {"GET": 1}
        await session.add_items([item("new")])
        assert site.requests() == {"PUT": 1}
        await session.close()

    run(story())


def test_a_new_object_adds_to_a_session_with_one_get_and_one_put(site: Site):
    async def add(number: int) -> None:
        session = BucketSession("s", site.url())
        await session.add_items([item(number)])
        await session.close()

    for number in range(2):
        run(add(number))
        assert site.requests() == {"GET": 1, "PUT": 1}
    assert contents(run(items_at(site.url()))) == [0, 1]


def test_an_outdated_object_reads_what_another_has_added(site: Site):
    async def story() -> None:
        one, other = BucketSession("s", site.url()), BucketSession("s", site.url())
        await one.add_items([item(0)])
        assert contents(await other.get_items()) == [0]
        await one.add_items([item(1)])
        assert contents(await other.get_items()) == [0, 1]
        await one.add_items([item(2)])
        assert await other.pop_item() == item(2)
        await one.add_items([item(3)])
        assert contents(await other.get_items()) == [0, 1, 3]
        await one.close()
        await other.close()

    run(story())


@pytest.mark.parametrize("seed", [1, 2])
def test_two_hosts_lose_and_double_nothing_and_keep_their_order_under_lost_responses(site: Site, seed: int):
    async def host(number: int) -> None:
        session = BucketSession("s", site.url())
        for turn in range(ADDITIONS):
            padding = "x" * (40_000 if turn % 3 == 0 else 10)
            await session.add_items([{"host": number, "turn": turn, "padding": padding}])
        await session.close()

    site.proxy.on(requests(), Chaos(seed, RATE, [drop_response]), times=None)
    assert run_hosts(host, HOSTS) == [None] * HOSTS
    dropped = sum(request.status is None for request in site.proxy.recorded)
    site.proxy.reset()
    found = run(items_at(site.url()))
    assert len(found) == HOSTS * ADDITIONS
    for number in range(HOSTS):
        assert [each["turn"] for each in found if each["host"] == number] == list(range(ADDITIONS))
    assert any("/sealed/" in key for key in site.stored_keys())
    assert dropped


def test_one_object_serves_five_event_loops_in_five_threads(site: Site):
    session = BucketSession("s", site.url())

    async def worker(number: int) -> None:
        for turn in range(5):
            await session.add_items([item([number, turn])])
            assert [number, turn] in contents(await session.get_items())

    assert run_hosts(worker, 5) == [None] * 5
    found = contents(run(items_at(site.url())))
    assert len(found) == 25
    for number in range(5):
        assert [turn for each, turn in found if each == number] == list(range(5))
    run(session.close())


@pytest.mark.parametrize("change", ["add", "pop", "clear"])
def test_a_cancelled_change_raises_after_its_outcome_is_known(site: Site, change: str):
    async def story() -> None:
        session = BucketSession("s", site.url())
        await session.add_items([item(0)])
        pause = ResponsePause()
        site.proxy.on(lambda request: request.method in ("PUT", "POST", "DELETE"), pause)
        calls = {
            "add": lambda: session.add_items([item(1)]),
            "pop": session.pop_item,
            "clear": session.clear_session,
        }
        task = asyncio.create_task(calls[change]())
        assert await asyncio.to_thread(pause.has_arrived.wait, 60)
        task.cancel()
        assert await asyncio.wait([task], timeout=0) == (set(), {task})
        pause.resume()
        with pytest.raises(asyncio.CancelledError):
            await task
        site.proxy.reset()
        expected = {"add": [0, 1], "pop": [], "clear": []}
        assert contents(await session.get_items()) == expected[change]
        await session.add_items([item(2)])
        assert contents(await session.get_items()) == [*expected[change], 2]
        await session.close()

    run(story())


async def add_with_unknown_outcome(site: Site, session: BucketSession, items: list[Any]) -> None:
    """Add the items, and receive no response at all."""
    site.proxy.on(requests("PUT"), drop_response, times=None)
    site.proxy.on(requests(), drop_response, times=None)
    with pytest.raises(SessionBucketError) as caught:
        await session.add_items(items)
    assert caught.value.outcome == "unknown"
    site.proxy.reset()


def test_an_addition_whose_outcome_is_unknown_may_be_repeated(site: Site):
    async def story() -> None:
        session = BucketSession("s", site.url(max_attempts=2))
        await session.add_items([item(0)])
        await add_with_unknown_outcome(site, session, [item(1)])
        await session.add_items([item(1)])
        await session.add_items([item(1)])  # another turn with the same text
        assert contents(await session.get_items()) == [0, 1, 1]
        await session.close()

    run(story())


def test_an_addition_whose_outcome_is_unknown_may_be_taken_back_and_repeated(site: Site):
    async def story() -> None:
        session, other = (BucketSession("s", site.url(max_attempts=2)) for _ in range(2))
        await session.add_items([item(0)])
        await add_with_unknown_outcome(site, session, [item(1)])
        assert await other.pop_item() == item(1)
        await session.add_items([item(1)])
        assert contents(await session.get_items()) == [0, 1]
        await session.close()
        await other.close()

    run(story())


def test_compaction_replaces_the_suffix_in_one_put(site: Site):
    async def story() -> None:
        session = BucketSession("s", site.url())
        await session.add_items([item(number) for number in range(5)])
        site.requests()
        snapshot = await session._get_compaction_snapshot(3)
        assert snapshot is not None
        assert contents(snapshot.items) == [2, 3, 4]
        assert not snapshot.complete
        assert site.requests() == {"GET": 1}
        assert await snapshot.replace_suffix(1, [item("summary")])
        assert site.requests() == {"PUT": 1}
        assert contents(await session.get_items()) == [0, 1, 2, "summary"]
        await session.close()

    run(story())


@pytest.mark.parametrize("meanwhile", ["add", "add the same", "pop", "replace", "clear"])
async def test_compaction_changes_nothing_after_another_writer_did(url: str, meanwhile: str):
    session, other = BucketSession("s", url), BucketSession("s", url)
    await session.add_items([item(number) for number in range(3)])
    snapshot = await session._get_compaction_snapshot(10)
    assert snapshot is not None
    assert snapshot.complete
    match meanwhile:
        case "add":
            await other.add_items([item(3)])
        case "add the same":
            await other.add_items([item(number) for number in range(3)])
        case "pop":
            await other.pop_item()
        case "replace":
            await other.pop_item()
            await other.add_items([item("other")])
        case "clear":
            await other.clear_session()
    before = await other.get_items()
    assert not await snapshot.replace_suffix(0, [item("summary")])
    assert await other.get_items() == before
    assert contents(before) != ["summary"]


async def test_a_subclass_is_not_compacted_past_its_own_items(url: str):
    class Transforming(BucketSession):
        pass

    assert await Transforming("s", url)._get_compaction_snapshot(1) is None


def test_a_cleared_session_leaves_nothing(site: Site):
    canary, kept = f"canary-{uuid4().hex}", f"kept-{uuid4().hex}"

    async def story() -> None:
        session, other = BucketSession(canary, site.url()), BucketSession("other", site.url())
        await other.add_items([item(kept)])
        for _ in range(3):
            await session.add_items([item(canary + "x" * 200_000)])
        assert any("/sealed/" in key for key in site.holders(canary))
        await session.pop_item()
        await session.clear_session()
        await session.close()
        await other.close()

    run(story())
    assert site.holders(canary) == []
    assert len(site.holders(kept)) == 1


def test_a_damaged_session_raises_and_stays_as_it_is(site: Site):
    async def story() -> None:
        session = BucketSession("s", site.url())
        await session.add_items([item(0)])
        damaged = site.body("openai-agents/s.log") + b"{damaged}\n"
        site.put("openai-agents/s.log", damaged)
        with pytest.raises(SessionCorruptedError, match="line 3"):
            await session.get_items()
        with pytest.raises(SessionCorruptedError, match="line 3"):
            await session.pop_item()
        assert site.body("openai-agents/s.log") == damaged
        await session.close()

    run(story())


@pytest.mark.parametrize("kind", ["moto", "moto+obstore"])
async def test_a_session_lives_in_moto_too(location_of: Any, kind: str):
    location: Location = location_of(kind)
    session = BucketSession("s", location.url())
    await session.add_items([item(0), item(1)])
    assert await session.pop_item() == item(1)
    assert contents(await session.get_items()) == [0]
    await session.clear_session()
    assert await session.get_items() == []
    await session.close()
