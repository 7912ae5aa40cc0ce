"""The chat store for LlamaIndex does what ``SimpleChatStore`` does, step by step; its requests, races and errors."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from frameworks.hosts import APPENDS, CANARY, HOSTS, Place, check_appends, forbidden_in, modules_added
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from llama_index.core.base.llms.types import ImageBlock, TextBlock
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import ChatMessage, MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.storage.chat_store import SimpleChatStore

from both_sides import at_once
from sessionbucket import InvalidArgumentError, MemoryBucket, SessionCorruptedError, SessionStore
from sessionbucket.integrations.llama_index import BucketChatStore
from sessionbucket.testing import FaultyBucket

LARGE = "x" * 140_000  # the third of these seals the first


def message(text: str, **options: Any) -> ChatMessage:
    return ChatMessage(content=text, **options)


class Parity(RuleBasedStateMachine):
    KEYS = st.sampled_from(["a", "b/c", "é" * 200])

    def __init__(self) -> None:
        super().__init__()
        self.model = SimpleChatStore()
        url = f"memory://{uuid4().hex}"
        self.stores = [BucketChatStore(url) for _ in range(2)]

    def both(self, worker: int, call: Any) -> None:
        assert call(self.model) == call(self.stores[worker])

    @rule(key=KEYS, worker=st.integers(0, 1), text=st.text(max_size=3), large=st.booleans())
    def add(self, key: str, worker: int, text: str, large: bool) -> None:
        self.both(worker, lambda store: store.add_message(key, message(text + LARGE if large else text)))

    @rule(key=KEYS, worker=st.integers(0, 1), texts=st.lists(st.text(max_size=3), max_size=4))
    def set(self, key: str, worker: int, texts: list[str]) -> None:
        self.both(worker, lambda store: store.set_messages(key, [message(each) for each in texts]))

    @rule(key=KEYS, worker=st.integers(0, 1), at=st.integers(0, 6))
    def delete_one(self, key: str, worker: int, at: int) -> None:
        self.both(worker, lambda store: store.delete_message(key, at))

    @rule(key=KEYS, worker=st.integers(0, 1))
    def delete_last(self, key: str, worker: int) -> None:
        if self.model.store.get(key) != []:  # SimpleChatStore raises IndexError for an empty list
            self.both(worker, lambda store: store.delete_last_message(key))

    @rule(key=KEYS, worker=st.integers(0, 1))
    def delete(self, key: str, worker: int) -> None:
        self.both(worker, lambda store: store.delete_messages(key))

    @invariant()
    def both_have_the_same(self) -> None:
        for store in self.stores:
            assert sorted(store.get_keys()) == sorted(self.model.get_keys())
            for key in ("a", "b/c", "é" * 200):
                assert store.get_messages(key) == self.model.get_messages(key)


TestParity = Parity.TestCase
TestParity.settings = settings(max_examples=40, stateful_step_count=25)


@pytest.fixture
def bucket() -> FaultyBucket:
    return FaultyBucket(MemoryBucket())


def store_in(bucket: FaultyBucket) -> BucketChatStore:
    return BucketChatStore(SessionStore(bucket))


def operations(bucket: FaultyBucket) -> Counter[str]:
    """The requests since the last call."""
    counted = Counter(call.operation for call in bucket.calls)
    bucket.calls.clear()
    return counted


def test_requests(bucket: FaultyBucket):
    store = store_in(bucket)
    assert store.get_messages("k") == []
    assert operations(bucket) == {"get": 1}
    for number in range(3):
        store.add_message("k", message(f"{number}"))
        assert operations(bucket) == {"put": 1}
    store_in(bucket).add_message("k", message("3"))
    assert operations(bucket) == {"get": 1, "put": 1}
    assert [each.content for each in store.get_messages("k")] == ["0", "1", "2", "3"]
    assert operations(bucket) == {"get": 1}
    assert store.get_keys() == ["k"]
    assert operations(bucket) == {"list_page": 1}
    store.delete_messages("k")
    assert operations(bucket) == {"get": 1, "list_page": 1, "delete": 1}


def test_messages_of_every_kind_come_back_as_they_were(bucket: FaultyBucket):
    sent = [
        ChatMessage(
            role="user",
            blocks=[TextBlock(text="é 🙂 \n"), ImageBlock(image=b"aW1n", image_mimetype="image/png")],
        ),
        ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": [{"id": "1", "n": 1.5}]}),
        ChatMessage(role="tool", content="reply", additional_kwargs={"tool_call_id": "1"}),
    ]
    store_in(bucket).set_messages("k", sent)
    assert store_in(bucket).get_messages("k") == sent


def test_what_json_cannot_hold_is_refused_and_nothing_is_written(bucket: FaultyBucket):
    with pytest.raises(InvalidArgumentError, match="nothing was written"):
        store_in(bucket).add_message("k", message("x", additional_kwargs={"opaque": object()}))
    assert operations(bucket)["put"] == 0


def test_a_lost_response_is_one_message(bucket: FaultyBucket):
    store = store_in(bucket)
    for number in range(3):
        bucket.drop_response("put")
        store.add_message("k", message(f"{number}"))
    assert [each.content for each in store_in(bucket).get_messages("k")] == ["0", "1", "2"]


def test_damaged_data_is_named_and_stays(bucket: FaultyBucket):
    for body in (b"{}\n", b'{"format":1,"metadata":{},"sealed":[]}\n{"role":"nobody"}\n'):
        bucket.inner.put("llama-index/k.log", body)
        with pytest.raises(SessionCorruptedError, match=r"llama-index/k\.log"):
            store_in(bucket).get_messages("k")
        assert bucket.inner.get("llama-index/k.log", max_bytes=99).body == body


async def test_a_chat_engine_remembers_in_another_process(tmp_path: Any):
    def engine() -> SimpleChatEngine:
        memory = ChatMemoryBuffer.from_defaults(
            chat_store=BucketChatStore(tmp_path), chat_store_key="user-7", tokenizer_fn=str.split
        )
        return SimpleChatEngine.from_defaults(llm=MockLLM(), memory=memory)

    engine().chat("Hello")
    await engine().achat("Bye")
    assert [each.content for each in engine().chat_history if each.role == "user"] == ["Hello", "Bye"]


def append_all(url: str, host: int) -> None:
    store = BucketChatStore(url)
    for number in range(APPENDS):
        store.add_message("k", message(f"{host} {number}"))
    store.close()


def test_two_hosts_lose_and_double_nothing_under_lost_responses(place: Place):
    place.drop_responses()
    assert at_once([partial(append_all, place.url(), host) for host in range(HOSTS)]) == [None] * HOSTS
    assert place.clear_faults()
    store = BucketChatStore(place.url())
    check_appends([tuple(map(int, each.content.split())) for each in store.get_messages("k")])
    store.close()


def test_a_deleted_key_leaves_nothing_in_the_bucket(place: Place):
    store = BucketChatStore(place.url())
    store.set_messages(CANARY, [message(CANARY + "x" * 100_000) for _ in range(4)])
    store.add_message(CANARY, message(CANARY))
    assert any("/sealed/" in key for key in place.occurrences(CANARY))
    store.delete_messages(CANARY)
    assert place.occurrences(CANARY) == []
    store.close()


def test_the_import_loads_no_other_framework_and_no_client_library():
    after = "import llama_index.core, llama_index.core.storage.chat_store"
    assert (
        forbidden_in(
            modules_added("import sessionbucket.integrations.llama_index", after=after), own="llama_index"
        )
        == set()
    )
