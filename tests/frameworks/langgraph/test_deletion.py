"""A deleted thread, run or item leaves nothing of it in the whole bucket."""

from __future__ import annotations

from frameworks.hosts import CANARY, Place, place, seaweed_proxy
from graphs import thread, two_nodes

from sessionbucket.integrations.langgraph import BucketSaver, BucketStore

__all__ = ["place", "seaweed_proxy"]

LARGE = CANARY + "x" * 300_000


def test_a_deleted_thread_leaves_nothing_in_the_bucket(place: Place):
    saver = BucketSaver(place.url())
    graph = two_nodes(saver)
    for number in range(2):
        graph.invoke({"document": LARGE, "notes": [f"{CANARY} {number}"]}, thread(CANARY))
    graph.invoke({"notes": ["kept"]}, thread("other"))
    assert place.occurrences(CANARY)
    saver.delete_thread(CANARY)
    assert place.occurrences(CANARY) == []
    assert graph.get_state(thread("other")).values["notes"] == ["kept"]
    saver.close()


def test_a_deleted_run_leaves_nothing_in_the_bucket(place: Place):
    saver = BucketSaver(place.url())
    graph = two_nodes(saver)
    graph.invoke({"notes": ["kept"]}, {**thread("t"), "metadata": {"run_id": "run-1"}})
    graph.invoke({"document": LARGE, "notes": [CANARY]}, {**thread("t"), "metadata": {"run_id": "run-2"}})
    assert place.occurrences(CANARY)
    saver.delete_for_runs(["run-2"])
    assert place.occurrences(CANARY) == []
    assert graph.get_state(thread("t")).values["notes"] == ["kept"]
    saver.close()


def test_a_deleted_item_leaves_nothing_in_the_bucket(place: Place):
    store = BucketStore(place.url())
    store.put((CANARY,), CANARY, {"text": CANARY})
    assert place.occurrences(CANARY)
    store.delete((CANARY,), CANARY)
    assert place.occurrences(CANARY) == []
    store.close()
