"""``BucketStore`` does what LangGraph's ``InMemoryStore`` does, step by step."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from graphs import CountingBucket
from langgraph.store.base import BaseStore, GetOp, InvalidNamespaceError, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore

from sessionbucket import InvalidArgumentError, MemoryBucket, SessionStore, open_store
from sessionbucket.integrations.langgraph import BucketStore

CANARY = "canary-51c2"
LONG = "x" * 300


class Steps:
    """The same calls of both stores, whose results must be equal."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async
        self.ours = BucketStore("memory://")
        self.stores: tuple[BaseStore, BaseStore] = (self.ours, InMemoryStore())

    def __call__(self, name: str, *args: Any, **options: Any) -> Any:
        found = [self.outcome(store, name, args, options) for store in self.stores]
        assert found[0] == found[1]
        return found[0]

    def outcome(self, store: BaseStore, name: str, args: Any, options: Any) -> Any:
        if self.is_async:
            result = asyncio.run(getattr(store, f"a{name}")(*args, **options))
        else:
            result = getattr(store, name)(*args, **options)
        return plain(result)


def plain(result: Any) -> Any:
    if isinstance(result, list):
        return sorted((plain(each) for each in result), key=repr)
    return (result.namespace, result.key, result.value) if hasattr(result, "namespace") else result


@pytest.fixture(params=["sync", "async"])
def steps(request: pytest.FixtureRequest) -> Steps:
    return Steps(request.param == "async")


def test_items_and_namespaces_are_those_of_the_store_in_memory(steps: Steps):
    for namespace, key in [
        (("users", "1"), "name"),
        (("users", "1"), "a/b"),
        (("users", "2"), ""),
        (("users",), "all"),
        (("users", "1", "ü%2F~"), "."),
        (("users", LONG), LONG),
        (("teams", "users"), "x"),
    ]:
        steps("put", namespace, key, {"key": key, "size": len(key), "deep": {"list": [1, 2]}})
        steps("get", namespace, key)
    steps("put", ("users", "1"), "name", {"key": "new", "size": 7})
    steps("get", ("users", "1"), "name")
    steps("get", ("users", "1"), "missing")
    for prefix in [(), ("users",), ("users", "1"), ("user",), ("nobody",)]:
        steps("search", prefix, limit=100)
    for wanted in [
        {"key": "new"},
        {"size": {"$gt": 1}},
        {"size": {"$lte": 1, "$ne": 0}},
        {"deep": {"list": [1, 2]}},
    ]:
        steps("search", ("users",), filter=wanted, limit=100)
    steps("list_namespaces", limit=100)
    steps("list_namespaces", prefix=("users", "*"), limit=100)
    steps("list_namespaces", suffix=("users",), limit=100)
    steps("list_namespaces", max_depth=1, limit=100)
    steps("list_namespaces", max_depth=2, limit=2, offset=1)
    steps("delete", ("users", "1"), "name")
    steps("get", ("users", "1"), "name")
    steps("delete", ("users", "1"), "name")
    steps("search", (), limit=100)
    put = PutOp(("b",), "k", {"number": 2})
    steps("batch", [PutOp(("b",), "k", {"number": 1}), GetOp(("b",), "k"), put, SearchOp(("b",))])
    steps("get", ("b",), "k")


def test_a_change_keeps_the_time_of_creation_also_in_another_process(steps: Steps):
    url = "memory://times"
    first, second = BucketStore(url), BucketStore(url)
    first.put(("a",), "k", {"n": 1})
    created = first.get(("a",), "k")
    for store in (first, second, first):
        store.put(("a",), "k", {"n": 2})
    found = second.get(("a",), "k")
    assert found is not None
    assert created is not None
    assert found.created_at == created.created_at
    assert found.updated_at > created.updated_at


def test_a_known_item_is_written_with_one_request_and_another_with_two():
    bucket = CountingBucket(MemoryBucket())
    first, second = (BucketStore(SessionStore(bucket)) for _ in range(2))
    expected = [(first, {"GET": 1, "PUT": 1}), (first, {"PUT": 1}), (second, {"GET": 1, "PUT": 1})]
    for store, requests in expected:
        bucket.calls.clear()
        store.put(("a",), "k", {"n": 1})
        assert bucket.calls == requests
    bucket.calls.clear()
    second.get(("a",), "k")
    assert bucket.calls == {"GET": 1}


def test_the_newest_items_come_first_and_only_they_are_read():
    store = BucketStore("memory://")
    for number in range(20):
        store.put(("a",), f"{number * 7 % 20}", {"number": number})
    assert [item.value["number"] for item in store.search(("a",), limit=3, offset=1)] == [18, 17, 16]


def test_a_deleted_item_leaves_nothing():
    store = BucketStore("memory://gone")
    store.put((CANARY,), CANARY, {"text": CANARY})
    store.delete((CANARY,), CANARY)
    with open_store("memory://gone") as session_store:
        assert list(session_store.documents("langgraph-store", integration=True).list()) == []


def test_bad_input_is_refused_with_the_reason(steps: Steps):
    store = steps.ours
    with pytest.raises(InvalidNamespaceError):
        store.batch([PutOp(("a.b",), "k", {})])
    with pytest.raises(InvalidArgumentError, match="JSON"):
        store.put(("a",), "k", {"x": object()})
    store.put(("a",), "k", {"x": 1})
    with pytest.raises(InvalidArgumentError, match=r"\$near"):
        store.search(("a",), filter={"x": {"$near": 1}})
    with pytest.raises(NotImplementedError):
        store.put(("a",), "k", {}, ttl=5)
