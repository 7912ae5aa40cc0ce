"""What ``BucketSaver`` promises beyond LangGraph's own tests: requests, growth, large values, and deletes that are complete."""

from __future__ import annotations

import asyncio
import random
import string
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated, Any, TypedDict

import pytest
from graphs import Side, State, thread, two_nodes
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from sessionbucket import BucketCall, InvalidArgumentError, SessionCorruptedError, StoredObject, newest_first
from sessionbucket.integrations.langgraph import BucketSaver, BucketStore
from sessionbucket.integrations.langgraph.documents import AT_ONCE

TURNS = 1000
CANARY = "canary-7f3a"
LARGE = CANARY + "".join(random.Random(1).choices(string.ascii_letters, k=300_000))


@pytest.fixture(params=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return request.param == "async"


def test_a_turn_and_a_read_take_the_same_requests_and_bytes_after_1000_turns(is_async: bool):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    turn = {"LIST": 1, "GET": 1, "PUT": 7}
    sizes = []
    for number in range(TURNS):
        before = side.bucket.bytes
        expected = turn if number else {"LIST": 1, "PUT": 7}
        assert side.counted(graph, "invoke", {"notes": []}, config) == expected
        sizes.append(side.bucket.bytes - before)
    assert sum(sizes[-100:]) <= 1.02 * sum(sizes[100:200])
    fresh = Side(is_async)
    fresh.bucket.inner._objects = side.bucket.inner._objects
    assert fresh.counted(fresh.saver, "get_tuple", config) == {"LIST": 1, "GET": 1}
    exits = two_nodes(side.saver)
    counted = side.counted(exits, "invoke", {"notes": []}, config, durability="exit")
    assert counted == {"LIST": 1, "GET": 1, "PUT": 1}
    assert side.call(graph, "get_state", config).values["count"] == 2 * (TURNS + 1)


def test_a_large_value_is_stored_once_while_it_does_not_change(is_async: bool):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    side.call(graph, "invoke", {"document": LARGE}, config)
    before = side.bucket.bytes
    for _ in range(20):
        side.call(graph, "invoke", {"notes": ["x"]}, config)
    assert side.bucket.bytes - before < 2 * len(LARGE)
    assert large_values(side) == 2  # the input, and the channel
    assert side.call(graph, "get_state", config).values["document"] == LARGE
    assert all(each.values["document"] == LARGE for each in side_history(side, graph, config)[:-1])


def large_values(side: Side) -> int:
    return sum("/%values/" in key for key in side.bodies())


def side_history(side: Side, graph: Any, config: Any) -> list[Any]:
    if not side.is_async:
        return list(graph.get_state_history(config))

    async def collect() -> list[Any]:
        return [each async for each in graph.aget_state_history(config)]

    return asyncio.run(collect())


def test_an_encrypted_large_value_is_stored_once_though_each_encryption_differs(is_async: bool):
    serde = EncryptedSerializer.from_pycryptodome_aes(JsonPlusSerializer(), key=b"1234567890123456")
    side = Side(is_async, serde=serde)
    graph, config = two_nodes(side.saver), thread("t")
    for _ in range(5):
        side.call(graph, "invoke", {"notes": ["x"]} if _ else {"document": LARGE}, config)
    assert large_values(side) == 2
    assert not any(CANARY.encode() in body for body in side.bodies().values())
    assert side.call(graph, "get_state", config).values["document"] == LARGE


def test_a_missing_large_value_is_an_error_that_names_it(is_async: bool):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    side.call(graph, "invoke", {"document": LARGE}, config)
    side.set_objects({key: each for key, each in side.objects().items() if "/%values/" not in key})
    with pytest.raises(SessionCorruptedError, match=r"t/%values/.*it is missing.*'document'"):
        side.call(side.saver, "get_tuple", config)


def test_deleting_a_thread_leaves_nothing_of_it(is_async: bool):
    side = Side(is_async)
    graph = two_nodes(side.saver)
    for id in (CANARY, f"{CANARY}2"):
        side.call(graph, "invoke", {"document": LARGE, "notes": [CANARY]}, thread(id))
    side.call(side.saver, "delete_thread", CANARY)
    left = side.bodies()
    assert left
    assert all(key.startswith(f"langgraph/{CANARY}2/") for key in left)
    side.call(side.saver, "delete_thread", f"{CANARY}2")
    assert side.bodies() == {}
    side.call(graph, "invoke", {"document": LARGE}, thread(CANARY))
    assert side.call(graph, "get_state", thread(CANARY)).values["document"] == LARGE


def test_a_run_that_goes_on_after_a_delete_stores_its_large_values_again(is_async: bool):
    side = Side(is_async)
    config = thread("t")
    side.call(two_nodes(side.saver), "invoke", {"document": LARGE}, config)
    found = side.call(side.saver, "get_tuple", config)
    side.call(side.saver, "delete_thread", "t")
    later = {**found.checkpoint, "id": empty_checkpoint()["id"]}
    side.call(side.saver, "put", found.config, later, {"source": "loop"}, {})
    again = side.call(side.saver, "get_tuple", config)
    assert again.checkpoint["channel_values"]["document"] == LARGE


def test_deleting_a_run_leaves_nothing_of_it(is_async: bool):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    side.call(graph, "invoke", {"notes": ["kept"]}, {**config, "metadata": {"run_id": "run-1"}})
    side.call(graph, "invoke", {"document": LARGE}, {**config, "metadata": {"run_id": "run-2"}})
    side.call(side.saver, "delete_for_runs", ["run-2"])
    assert not any(CANARY.encode() in key.encode() + body for key, body in side.bodies().items())
    assert side.call(graph, "get_state", config).values["notes"] == ["kept"]


@pytest.mark.parametrize("document", ["small", LARGE])
def test_pruning_keeps_the_latest_checkpoint_and_its_values(is_async: bool, document: str):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    side.call(graph, "invoke", {"document": document, "notes": ["a"]}, config)
    side.call(graph, "invoke", {"document": LARGE[::-1]}, config)
    side.call(graph, "invoke", {"document": document}, config)
    side.call(side.saver, "prune", ["t"])
    assert len(side.list(config)) == 1
    assert side.call(graph, "get_state", config).values == {"document": document, "notes": ["a"], "count": 6}
    side.call(graph, "invoke", {"notes": ["b"]}, config)
    assert side.call(graph, "get_state", config).values["document"] == document
    with pytest.raises(InvalidArgumentError, match="keep_latest"):
        side.call(side.saver, "prune", ["t"], strategy="newest")
    side.call(side.saver, "prune", ["t"], strategy="delete")
    assert side.bodies() == {}


def test_pruning_deletes_only_large_values_that_nothing_names_and_nobody_is_about_to_name(is_async: bool):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    side.call(graph, "invoke", {"document": LARGE}, config)
    side.call(graph, "invoke", {"document": LARGE[::-1]}, config)
    side.call(side.saver, "prune", ["t"])
    assert large_values(side) == 4
    side.make_older(timedelta(hours=1), "/%values/")
    side.call(graph, "invoke", {"notes": ["a"]}, config)
    side.call(side.saver, "prune", ["t"])
    assert large_values(side) == 1
    assert side.call(graph, "get_state", config).values["document"] == LARGE[::-1]


def extend(current: list[str] | None, writes: list[list[str]]) -> list[str]:
    return [*(current or []), *(text for each in writes for text in each)]


class Deltas(TypedDict, total=False):
    notes: Annotated[list[str], DeltaChannel(extend, snapshot_frequency=50)]
    count: int


def delta_graph(saver: BucketSaver) -> Any:
    builder = StateGraph(Deltas)
    builder.add_node("node", lambda state: {"count": state.get("count", 0) + 1})
    builder.add_edge(START, "node")
    builder.add_edge("node", END)
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("keep", [None, 5])
def test_delta_channels_survive_removals_and_grow_by_their_deltas(is_async: bool, keep: int | None):
    side = Side(is_async, keep=keep)
    graph, config = delta_graph(side.saver), thread("t")
    notes = []
    for number in range(120):
        notes.append(f"note {number}")
        side.call(graph, "invoke", {"notes": [notes[-1]]}, config)
        if number % 40 == 7:
            side.call(side.saver, "prune", ["t"])
        fresh = delta_graph(BucketSaver(side.store))
        if number % 10 == 0:
            assert side.call(fresh, "get_state", config).values["notes"] == notes
    assert side.call(graph, "get_state", config).values["notes"] == notes


def test_keep_bounds_the_objects_of_a_thread_with_subgraphs(is_async: bool):
    side = Side(is_async, keep=10)
    inner = StateGraph(State)
    inner.add_node("inner", lambda state: {"count": 2})
    inner.add_edge(START, "inner")
    builder = StateGraph(State)
    builder.add_node("outer", inner.compile())
    builder.add_edge(START, "outer")
    graph, config = builder.compile(checkpointer=side.saver), thread("t")
    counts = []
    for _ in range(60):
        side.call(graph, "invoke", {"count": 1}, config)
        counts.append(len(side.bodies()))
    assert max(counts[30:]) <= max(counts[10:30]) + 5
    assert len(side.list({"configurable": {"thread_id": "t", "checkpoint_ns": ""}})) <= 21


def test_a_copied_thread_stands_alone(is_async: bool):
    side = Side(is_async)
    graph = two_nodes(side.saver)
    side.call(graph, "invoke", {"document": LARGE, "notes": ["a"]}, thread("one"))
    side.call(side.saver, "copy_thread", "one", "two")
    side.call(side.saver, "delete_thread", "one")
    assert side.call(graph, "get_state", thread("two")).values["document"] == LARGE
    assert {each.config["configurable"]["thread_id"] for each in side.list(None)} == {"two"}


@pytest.mark.parametrize("id", ["a/b", "%values", "", ".", "ü" * 300, "x" * 400])
def test_any_text_is_a_thread_id(is_async: bool, id: str):
    side = Side(is_async)
    graph = two_nodes(side.saver)
    side.call(graph, "invoke", {"notes": ["a"]}, thread(id))
    assert side.call(graph, "get_state", thread(id)).values["notes"] == ["a"]
    assert {each.config["configurable"]["thread_id"] for each in side.list(None)} == {id}


def test_an_interrupted_task_resumes_and_the_first_write_stays(is_async: bool):
    side = Side(is_async)
    config = thread("t")

    def ask(state: State) -> State:
        return {"notes": [interrupt("question")]}

    graph = two_nodes(side.saver, ask)
    side.call(graph, "invoke", {"count": 0}, config)
    fresh = two_nodes(side.saver, ask)
    assert side.call(fresh, "invoke", Command(resume="yes"), config)["notes"] == ["yes"]
    tip = side.call(side.saver, "get_tuple", config).config
    for value in ("first", "second"):
        side.call(side.saver, "put_writes", tip, [("notes", value)], "task")
    assert side.call(side.saver, "get_tuple", config).pending_writes == [("task", "notes", "first")]


def test_a_list_reads_only_what_it_returns(is_async: bool):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    for _ in range(30):
        side.call(graph, "invoke", {"notes": []}, config)
    side.bucket.calls.clear()
    assert len(side.list(config, limit=3)) == 3
    assert side.bucket.calls["LIST"] == 1
    assert side.bucket.calls["GET"] <= 3 + 3
    assert len(side.list(config)) == 4 * 30
    filtered = side.list(config, filter={"source": "input"}, limit=2)
    assert [each.metadata["source"] for each in filtered] == ["input", "input"]
    (newest, second) = side.list(config, limit=2)
    assert side.list(config, before=newest.config, limit=1)[0].config == second.config


def test_a_thread_whose_latest_checkpoint_is_pruned_during_a_read_goes_on(is_async: bool):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    for _ in range(2):
        side.call(graph, "invoke", {"count": 0}, config)
    newer = side.list(config)[0]
    counted, everything = side.bucket.request, side.objects()
    mark = newest_first(newer.checkpoint["id"])
    before = {key: stored for key, stored in everything.items() if f"/{mark}." not in key}
    after = {key: stored for key, stored in everything.items() if f"/{mark}." in key}
    side.set_objects(before)

    def prune(call: BucketCall, send: Any) -> Any:
        """Between the listing and the read, another process puts the newer checkpoint and prunes the others."""
        if call.operation == "get":
            side.set_objects(after)
        return counted(call, send)

    side.bucket.request = prune
    assert side.call(side.saver, "get_tuple", config).config == newer.config


def test_a_checkpoint_that_is_listed_and_never_found_is_an_error_that_names_it(is_async: bool):
    side = Side(is_async)
    config = thread("t")
    side.call(two_nodes(side.saver), "invoke", {"count": 0}, config)
    counted, everything = side.bucket.request, side.objects()

    def lose(call: BucketCall, send: Any) -> Any:
        side.set_objects({} if call.operation == "get" else everything)
        return counted(call, send)

    side.bucket.request = lose
    with pytest.raises(SessionCorruptedError, match=r"\.c\..*no read finds it"):
        side.call(side.saver, "get_tuple", config)


def test_pages_of_large_values_alone_hide_no_checkpoint(is_async: bool):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    side.call(graph, "invoke", {"notes": ["a"]}, config)
    objects = side.objects()
    some = next(iter(objects.values()))
    for number in range(2100):
        key = f"langgraph/t/%values/{number:064x}"
        objects[key] = StoredObject(some.info._replace(key=key), b"")
    side.set_objects(objects)
    assert len(side.list(config)) == 4


def test_a_listing_that_nobody_reads_to_its_end_sends_no_more_requests(is_async: bool):
    side = Side(is_async)
    graph, config = two_nodes(side.saver), thread("t")
    for _ in range(20):
        side.call(graph, "invoke", {"notes": []}, config)
    side.bucket.calls.clear()

    async def first() -> Any:
        async with aclosing(side.saver.alist(config)) as found:
            return await anext(found)

    newest = asyncio.run(first()) if is_async else next(side.saver.list(config))
    assert newest.config == side.call(side.saver, "get_tuple", config).config
    assert side.bucket.calls["LIST"] == 1 + 1
    assert side.bucket.calls["GET"] <= 2 * AT_ONCE + 1


@pytest.mark.parametrize("tasks", [48, 49, 50, 600, 1100])
def test_a_checkpoint_has_all_writes_of_its_tasks_however_many_they_are(tasks: int):
    side = Side(is_async=False)
    graph, config = two_nodes(side.saver), thread("t")
    for _ in range(2):
        graph.invoke({"notes": []}, config)
    for saved in (side.list(config)[3].config, side.list(config)[0].config):
        for number in range(tasks):
            side.saver.put_writes(
                saved, [("count", number)], f"task-{number:04}", f"path-{tasks - number:04}"
            )
        found = side.saver.get_tuple(saved)
        assert found is not None
        assert [value for id, _, value in found.pending_writes or () if id[:5] == "task-"] == [*range(tasks)][
            ::-1
        ]
    assert side.saver.get_tuple(config) == found
    for each in side.list(config)[:4:3]:
        assert sum(id[:5] == "task-" for id, _, _ in each.pending_writes or ()) == tasks
    assert len(side.list(config)) == 8


def test_a_saver_on_an_async_store_refuses_blocking_calls():
    with pytest.raises(InvalidArgumentError, match="use the async method"):
        Side(is_async=True).saver.get_tuple(thread("t"))


async def test_a_saver_on_a_store_serves_event_loops_by_threads():
    side = Side(is_async=False)
    graph = two_nodes(side.saver)
    assert (await graph.ainvoke({"notes": ["a"]}, thread("t")))["notes"] == ["a"]


def test_one_url_serves_both_sides():
    graph = two_nodes(BucketSaver("memory://"))
    graph.invoke({"notes": ["a"]}, thread("t"))
    assert asyncio.run(graph.ainvoke({"notes": ["b"]}, thread("t")))["notes"] == ["a", "b"]


@pytest.mark.parametrize("kind", [BucketSaver, BucketStore])
def test_another_type_than_a_url_or_a_store_is_refused(kind: Any):
    with pytest.raises(InvalidArgumentError, match="url_or_store is int and must be a URL"):
        kind(5)


def test_keep_below_one_is_refused():
    with pytest.raises(InvalidArgumentError, match="keep 0 is refused"):
        BucketSaver("memory://", keep=0)
