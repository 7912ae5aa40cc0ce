"""The code of docs/append-log.md runs, and its integration keeps its promises."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import sessionbucket
from both_sides import at_once
from conformance.locations import unique_name
from sessionbucket import FileBucket, MemoryBucket, SessionStore
from sessionbucket.testing import FaultyBucket

PAGE = (Path(__file__).parents[2] / "docs" / "append-log.md").read_text()
FIRST, INTEGRATION = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def kind() -> Any:
    """The class of the page."""
    names: dict[str, Any] = {}
    exec(INTEGRATION, names)
    return names["TranscriptStore"]


def test_the_first_example_runs():
    url = "s3://my-bucket/agents/prod"
    assert url in FIRST
    exec(FIRST.replace(url, f"memory://{unique_name()}"), {})


def test_the_examples_use_public_names_and_the_integration_is_short():
    for names in re.findall(r"from sessionbucket import (.+)", PAGE):
        for name in names.split(", "):
            assert hasattr(sessionbucket, name)
    assert len([line for line in INTEGRATION.splitlines() if line.strip()]) <= 40


def test_the_integration_keeps_transcripts_of_any_id(kind: Any, tmp_path: Path):
    store = kind(tmp_path)
    ids = ["plain", "", "a/b", "é" * 300, "sealed", "."]
    for id in ids:
        store.add(id, [{"id": 1, "text": id}])
        store.add(id, [{"id": 1, "text": "again"}, {"id": 2, "text": "x" * 300_000}])
    for id in ids:
        assert [message["id"] for message in kind(tmp_path).history(id)] == [1, 2]
        assert store.history(id, last=1)[0]["id"] == 2
    assert sorted(store.sessions()) == sorted(ids)
    assert store.undo("plain")["id"] == 2
    for id in ids:
        store.forget(id)
    assert [path for path in tmp_path.rglob("*") if path.is_file() and "locks" not in path.parts] == []


def test_two_workers_lose_nothing_and_a_lost_response_doubles_nothing(kind: Any):
    faulty = FaultyBucket(MemoryBucket())
    stores = [kind(SessionStore(faulty)) for _ in range(2)]
    # Between a create whose response is lost and another's, no history decides.
    stores[0].add("s", [{"worker": None}])
    for _ in range(3):
        faulty.drop_response("put", nth=4)

    def work(worker: int) -> None:
        for number in range(10):
            stores[worker].add("s", [{"worker": worker, "number": number}])

    assert at_once([partial(work, worker) for worker in range(2)]) == [None, None]
    history = kind(SessionStore(faulty.inner)).history("s")
    for worker in range(2):
        assert [each["number"] for each in history if each["worker"] == worker] == list(range(10))
    assert faulty.pending == []


def test_a_conversation_costs_one_put_for_each_addition(kind: Any, tmp_path: Path):
    faulty = FaultyBucket(FileBucket(tmp_path))
    store = kind(SessionStore(faulty))
    for number in range(5):
        store.add("s", [{"id": number}])
    assert [call.operation for call in faulty.calls] == ["put"] * 5
