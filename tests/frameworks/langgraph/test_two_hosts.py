"""Two hosts on one thread and one item, with every engine, while responses are lost."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from both_sides import at_once, errors_in
from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import Chaos, drop_response
from sessionbucket.integrations.langgraph import BucketSaver, BucketStore

HOSTS = 2
PUTS = 25
RATE = 0.05


@pytest.fixture(params=["seaweed"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def call(site: Site, target: Any, name: str, *args: Any, **options: Any) -> Any:
    if site.side.name.startswith("async"):
        return site.side.run(getattr(target, f"a{name}")(*args, **options))
    return getattr(target, name)(*args, **options)


def store_of(site: Site) -> Any:
    store = site.store()
    return getattr(store, "_inner", store)


def write(site: Site, saver: BucketSaver, host: int) -> None:
    """Put a chain of checkpoints, each with writes of two tasks, as a run does."""
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    for number in range(PUTS):
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {"host": host, "number": number}
        metadata: Any = {"step": number, "host": host}
        config = call(site, saver, "put", config, checkpoint, metadata, {"number": number})
        for task in ("a", "b"):
            call(site, saver, "put_writes", config, [("number", [host, number, task])], f"{task}-{host}")


@pytest.mark.parametrize("seed", [1, 2])
def test_two_hosts_on_one_thread_lose_and_double_nothing(site: Site, seed: int):
    site.proxy.on(requests(), Chaos(seed, RATE, [drop_response]), times=None)
    hosts = [partial(write, site, BucketSaver(store_of(site)), host) for host in range(HOSTS)]
    assert errors_in(at_once(hosts)) == []
    dropped = sum(request.status is None for request in site.proxy.recorded)
    site.proxy.reset()
    saver = BucketSaver(site.someone_else())
    found = list(saver.list({"configurable": {"thread_id": "t"}}))[::-1]
    assert len(found) == HOSTS * PUTS
    for host in range(HOSTS):
        own = [each for each in found if each.metadata["host"] == host]  # type: ignore[typeddict-item]
        assert [each.checkpoint["channel_values"]["number"] for each in own] == list(range(PUTS))
        for number, each in enumerate(own):
            assert [value for _, _, value in each.pending_writes or ()] == [
                [host, number, task] for task in "ab"
            ]
            parent = each.parent_config["configurable"]["checkpoint_id"] if each.parent_config else None
            assert parent == (own[number - 1].checkpoint["id"] if number else None)
    assert dropped


def change(site: Site, store: BucketStore, host: int) -> None:
    for number in range(PUTS):
        call(site, store, "put", ("all",), "one", {"host": host, "number": number})
        call(site, store, "put", ("own", str(host)), str(number), {"host": host, "number": number})


def test_two_hosts_on_one_item_both_finish_and_every_other_item_is_stored_once(site: Site):
    site.proxy.on(requests(), Chaos(3, RATE, [drop_response]), times=None)
    hosts = [partial(change, site, BucketStore(store_of(site)), host) for host in range(HOSTS)]
    assert errors_in(at_once(hosts)) == []
    site.proxy.reset()
    store = BucketStore(site.someone_else())
    last = store.get(("all",), "one")
    assert last is not None
    assert last.value["number"] == PUTS - 1
    for host in range(HOSTS):
        found = store.search(("own", str(host)), limit=1000)
        assert sorted(item.value["number"] for item in found) == list(range(PUTS))
