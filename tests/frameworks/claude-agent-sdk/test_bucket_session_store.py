"""What `BucketSessionStore` promises: the SDK's contracts, requests, several workers, lost responses and deletion."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from claude_agent_sdk.testing import run_session_store_conformance
from frameworks.sites import Site, run, run_hosts

from faults.proxy import requests
from faults.proxy_faults import Chaos, drop_response
from sessionbucket import open_async_store, open_store
from sessionbucket.errors import InvalidArgumentError, SessionCorruptedError
from sessionbucket.integrations.claude_agent_sdk import BucketSessionStore

HOSTS, APPENDS, RATE = 2, 25, 0.05
MAIN: Any = {"project_key": "project", "session_id": "main"}
SUB: Any = {**MAIN, "subpath": "subagents/agent-1"}


def entry(text: Any, **members: Any) -> Any:
    return {
        "type": "user",
        "uuid": str(uuid4()),
        "timestamp": "2026-01-01T00:00:00.000Z",
        "text": text,
        **members,
    }


def texts(entries: Any) -> list[Any]:
    return [each["text"] for each in entries or []]


@pytest.fixture
def url() -> str:
    return f"memory://{uuid4().hex}"


@pytest.mark.parametrize("kind", ["memory", "file", "moto", "seaweed", "moto+obstore", "seaweed+obstore"])
async def test_the_contracts_of_the_sdk_hold(location_of: Any, kind: str):
    location = location_of(kind)
    stores = []

    def make() -> BucketSessionStore:
        if kind == "memory":
            return BucketSessionStore(f"memory://{uuid4().hex}")
        base, mark, query = location.url().partition("?")
        stores.append(BucketSessionStore(f"{base}/{uuid4().hex}{mark}{query}"))
        return stores[-1]

    await run_session_store_conformance(make)
    for store in stores:
        await store.close()


def test_an_append_costs_one_put_with_its_summary_and_a_load_one_get(site: Site):
    async def story() -> None:
        store = BucketSessionStore(site.url())
        await store.append(MAIN, [entry(0)])
        assert site.requests() == {"GET": 1, "PUT": 1}
        for number in range(1, 5):
            await store.append(MAIN, [entry(number, customTitle=f"title {number}")])
        assert site.requests() == {"PUT": 4}
        assert texts(await store.load(MAIN)) == [0, 1, 2, 3, 4]
        assert site.requests() == {"GET": 1}
        await store.append(MAIN, [])
        assert site.requests() == {}
        assert [each["session_id"] for each in await store.list_sessions("project")] == ["main"]
        assert site.requests() == {"LIST": 1}
        (summary,) = await store.list_session_summaries("project")
        assert summary["data"]["custom_title"] == "title 4"
        assert site.requests() == {"LIST": 1, "GET": 1}
        await store.append(SUB, [entry("sub")])
        site.requests()
        assert await store.list_subkeys(MAIN) == ["subagents/agent-1"]
        assert site.requests() == {"LIST": 1}
        await store.delete(MAIN)
        assert site.requests() == {"LIST": 2, "DELETE": 2}
        await store.close()

    run(story())


def test_a_load_of_a_long_transcript_costs_one_get_and_one_for_each_segment(site: Site):
    async def story() -> None:
        store = BucketSessionStore(site.url())
        for number in range(10):
            await store.append(MAIN, [entry([number, "x" * 100_000])])
        segments = [key for key in site.stored_keys() if "/sealed/" in key]
        site.requests()
        assert [number for number, _ in texts(await store.load(MAIN))] == list(range(10))
        assert site.requests() == {"GET": 1 + len(segments)}
        assert segments
        await store.close()

    run(story())


@pytest.mark.parametrize("seed", [1, 2])
def test_two_hosts_lose_and_double_nothing_and_keep_their_order_under_lost_responses(site: Site, seed: int):
    async def host(number: int) -> None:
        store = BucketSessionStore(site.url())
        for turn in range(APPENDS):
            padding = "x" * (40_000 if turn % 3 == 0 else 10)
            await store.append(MAIN, [entry([number, turn], padding=padding)])
        await store.close()

    site.proxy.on(requests(), Chaos(seed, RATE, [drop_response]), times=None)
    assert run_hosts(host, HOSTS) == [None] * HOSTS
    dropped = sum(request.status is None for request in site.proxy.recorded)
    site.proxy.reset()

    async def load() -> Any:
        store = BucketSessionStore(site.url())
        try:
            return await store.load(MAIN)
        finally:
            await store.close()

    found = texts(run(load()))
    assert len(found) == HOSTS * APPENDS
    for number in range(HOSTS):
        assert [turn for each, turn in found if each == number] == list(range(APPENDS))
    assert any("/sealed/" in key for key in site.stored_keys())
    assert dropped


def test_one_object_serves_five_event_loops_in_five_threads(site: Site):
    store = BucketSessionStore(site.url())

    async def worker(number: int) -> None:
        for turn in range(5):
            await store.append(MAIN, [entry([number, turn])])
            assert [number, turn] in texts(await store.load(MAIN))

    assert run_hosts(worker, 5) == [None] * 5
    found = texts(run(store.load(MAIN)))
    assert len(found) == 25
    for number in range(5):
        assert [turn for each, turn in found if each == number] == list(range(5))
    run(store.close())


async def test_racing_appends_of_two_stores_lose_no_part_of_the_summary(url: str):
    one, other = BucketSessionStore(url), BucketSessionStore(url)
    await one.append(MAIN, [entry(0, customTitle="title")])
    await other.append(MAIN, [entry(1, lastPrompt="prompt")])
    await one.append(MAIN, [entry(2, gitBranch="branch")])
    (summary,) = await other.list_session_summaries("project")
    assert summary["data"]["custom_title"] == "title"
    assert summary["data"]["last_prompt"] == "prompt"
    assert summary["data"]["git_branch"] == "branch"


async def test_a_repeated_append_doubles_only_entries_without_a_uuid(url: str):
    store = BucketSessionStore(url)
    batch = [entry("with"), {"type": "tag", "text": "without"}]
    for _ in range(2):
        await store.append(MAIN, batch)
    assert texts(await store.load(MAIN)) == ["with", "without", "without"]
    await store.append(MAIN, batch[:1])
    assert texts(await store.load(MAIN)) == ["with", "without", "without"]


async def test_keys_may_be_any_text(tmp_path: Path):
    names = ["plain", "", "a/b", ".", "sealed", "s", "é" * 300, "%41", "~"]
    store = BucketSessionStore(tmp_path)
    for project in names:
        for session in names:
            await store.append({"project_key": project, "session_id": session}, [entry([project, session])])
    for project in names:
        found = await store.list_sessions(project)
        assert sorted(each["session_id"] for each in found) == sorted(names)
        summaries = await store.list_session_summaries(project)
        assert {each["session_id"]: each["mtime"] for each in summaries} == {
            each["session_id"]: each["mtime"] for each in found
        }
    key: Any = {"project_key": "plain", "session_id": "plain"}
    for subpath in names:
        if subpath:
            await store.append({**key, "subpath": subpath}, [entry(subpath)])
    assert sorted(await store.list_subkeys(key)) == sorted(filter(None, names))
    for project in names:
        for session in names:
            assert texts(await store.load({"project_key": project, "session_id": session})) == [
                [project, session]
            ]


def test_a_deleted_session_leaves_nothing(site: Site):
    canary, kept = f"canary-{uuid4().hex}", f"kept-{uuid4().hex}"

    async def story() -> None:
        store = BucketSessionStore(site.url())
        main: Any = {"project_key": "project", "session_id": canary}
        keys: list[Any] = [main, {**main, "subpath": "subagents/a"}, {**main, "subpath": "subagents/b"}]
        await store.append({**main, "session_id": "other"}, [entry(kept)])
        for _ in range(3):
            for key in keys:
                await store.append(key, [entry(canary + "x" * 200_000, customTitle=canary)])
        assert any("/sealed/" in key for key in site.holders(canary))
        await store.delete(keys[1])
        assert await store.list_subkeys(main) == ["subagents/b"]
        await store.delete(main)
        await store.close()

    run(story())
    assert site.holders(canary) == []
    assert len(site.holders(kept)) == 1


async def test_an_open_store_is_used_and_stays_open(tmp_path: Path):
    async with open_async_store(tmp_path) as opened:
        store = BucketSessionStore(opened)
        await store.append(MAIN, [entry(0)])
        await store.close()
        assert texts(await store.load(MAIN)) == [0]


def test_another_kind_of_store_is_refused(url: str):
    with open_store(url) as sync_store:
        for wrong in (None, 1, sync_store):
            with pytest.raises(InvalidArgumentError, match="must be a URL, a path or an AsyncSessionStore"):
                BucketSessionStore(wrong)  # type: ignore[arg-type]


def test_a_damaged_transcript_raises_and_stays_as_it_is(site: Site):
    async def story() -> None:
        store = BucketSessionStore(site.url())
        await store.append(MAIN, [entry(0)])
        damaged = site.body("claude/project/s/main.log") + b"{damaged}\n"
        site.put("claude/project/s/main.log", damaged)
        with pytest.raises(SessionCorruptedError, match="line 3"):
            await store.load(MAIN)
        assert site.body("claude/project/s/main.log") == damaged
        await store.close()

    run(story())
