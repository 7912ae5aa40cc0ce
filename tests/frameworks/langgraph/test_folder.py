"""The tools of the library know the folders of the integration."""

from __future__ import annotations

from pathlib import Path

from frameworks.folders import LONG, listed
from graphs import thread, two_nodes

from sessionbucket.integrations.langgraph import BucketSaver, BucketStore

LARGE = "x" * 300_000


def test_threads_and_namespaces_are_listed_by_their_names_and_copied(tmp_path: Path):
    graph = two_nodes(BucketSaver(tmp_path))
    for name in ("t", LONG):
        graph.invoke({"document": LARGE, "notes": ["a"]}, thread(name))
    threads = listed(tmp_path, "langgraph")
    assert set(threads) == {("t",), (LONG,)}
    assert all(info.objects > 2 and info.size > len(LARGE) for info in threads.values())
    store = BucketStore(tmp_path)
    for namespace in (("a",), ("a", LONG)):
        store.put(namespace, "key", {"text": "x"})
    assert set(listed(tmp_path, "langgraph-store")) == {("a",), ("a", LONG)}
