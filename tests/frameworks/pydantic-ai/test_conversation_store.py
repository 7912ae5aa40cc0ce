"""The conversation store of pydantic-ai: its promises, its requests, and its errors."""

from __future__ import annotations

import asyncio
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from frameworks.hosts import APPENDS, CANARY, HOSTS, Place, check_appends, forbidden_in, modules_added
from pydantic_ai import Agent, BinaryContent
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict, ConversationRecord
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.test import TestModel

from sessionbucket import (
    AsyncMemoryBucket,
    AsyncSessionStore,
    InvalidArgumentError,
    SessionCorruptedError,
    StoreUnavailableError,
)
from sessionbucket.integrations.pydantic_ai import BucketConversationStore
from sessionbucket.testing import AsyncFaultyBucket


def request(text: str) -> ModelRequest:
    return ModelRequest(parts=[UserPromptPart(text)])


def texts(conversation: Conversation | None) -> list[Any]:
    assert conversation is not None
    return [part.content for message in conversation.messages for part in message.parts]


class Counted:
    """A bucket in memory whose requests are counted, and a store in it."""

    def __init__(self) -> None:
        self.bucket = AsyncFaultyBucket(AsyncMemoryBucket())
        self.store = self.another()

    def another(self) -> BucketConversationStore:
        return BucketConversationStore(AsyncSessionStore(self.bucket))

    def requests(self) -> Counter[str]:
        """The requests since the last call."""
        counted = Counter(call.operation for call in self.bucket.calls)
        self.bucket.calls.clear()
        return counted


@pytest.fixture
def counted() -> Counted:
    return Counted()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "locks" not in path.parts]


async def save_new(
    store: BucketConversationStore, *texts: str, id: str = "c", scope: str | None = None
) -> None:
    await store.save(
        Conversation(conversation_id=id, messages=[request(each) for each in texts]), scope=scope
    )


async def turn(store: BucketConversationStore, text: str, id: str = "c") -> None:
    conversation = await store.load(id) or Conversation(conversation_id=id)
    result = await Agent(TestModel(custom_output_text=f"to {text}")).run(text, conversation=conversation)
    await store.save(result)


async def test_a_turn_is_one_get_and_one_put(counted: Counted):
    for number in range(3):
        await turn(counted.store, f"turn {number}")
        assert counted.requests() == {"get": 1, "put": 1}
    await turn(counted.another(), "elsewhere")
    assert counted.requests() == {"get": 1, "put": 1}
    loaded = await counted.store.load("c")
    assert texts(loaded)[::2] == ["turn 0", "turn 1", "turn 2", "elsewhere"]
    assert loaded is not None
    assert loaded.usage.requests == 4


async def test_a_conversation_that_is_saved_again_is_one_put(counted: Counted):
    conversation = Conversation(conversation_id="c", messages=[request("a")])
    for _ in range(3):
        await counted.store.save(conversation)
        assert counted.requests() == {"put": 1}
        conversation.messages.append(request("more"))


async def test_a_fork_and_a_delete_send_few_requests(counted: Counted):
    await save_new(counted.store, "a", "b")
    counted.requests()
    await counted.another().fork("c", at=1)
    assert counted.requests() == {"get": 2, "put": 1}
    await counted.another().delete("c")
    assert counted.requests() == {"get": 1, "put": 1, "list_page": 1, "delete": 1}


async def test_a_window_of_a_long_conversation_is_one_get(counted: Counted):
    await save_new(counted.store, *(f"{number} " + "x" * 10_000 for number in range(100)))
    counted.requests()
    window = await counted.another().load("c", limit=5)
    assert [text.split()[0] for text in texts(window)] == ["95", "96", "97", "98", "99"]
    assert counted.requests() == {"get": 1}
    whole = await counted.another().load("c")
    assert [text.split()[0] for text in texts(whole)] == [str(number) for number in range(100)]
    assert counted.requests()["get"] <= 2 + 100 * 10_000 / (100 * 1024)


async def test_a_save_of_a_window_appends_to_the_whole_conversation(counted: Counted):
    await save_new(counted.store, "a", "b", "c")
    window = await counted.another().load("c", limit=1)
    assert window is not None
    window.messages.append(request("d"))
    await counted.another().save(window)
    assert texts(await counted.store.load("c")) == ["a", "b", "c", "d"]


async def test_a_stale_copy_is_refused_and_changes_nothing(counted: Counted):
    await save_new(counted.store, "a")
    first, second = await counted.store.load("c"), await counted.another().load("c")
    assert first is not None
    assert second is not None
    second.messages.append(request("b"))
    await counted.another().save(second)
    first.messages.append(request("lost"))
    with pytest.raises(ConversationConflict):
        await counted.store.save(first)
    assert texts(await counted.store.load("c")) == ["a", "b"]


async def test_a_remembered_head_serves_no_read(counted: Counted):
    await save_new(counted.store, "a")
    other = counted.another()
    changed = await other.load("c")
    assert changed is not None
    changed.messages.append(request("b"))
    await other.save(changed)
    assert texts(await counted.store.load("c")) == ["a", "b"]
    await other.delete("c")
    assert await counted.store.load("c") is None
    assert await counted.store.read_record("c") is None


async def test_a_new_conversation_under_a_taken_id_is_refused(counted: Counted):
    await save_new(counted.store, "a")
    with pytest.raises(ConversationConflict):
        await save_new(counted.another(), "b")


async def test_a_fork_outlives_its_source_and_the_source_is_erased(counted: Counted):
    await save_new(counted.store, "shared", CANARY)
    fork = await counted.store.fork("c", at=1, new_conversation_id="f")
    await counted.store.delete("c")
    fork.messages.append(request("own"))
    await counted.another().save(fork)
    assert texts(await counted.another().load("f")) == ["shared", "own"]
    found = await counted.another().list_conversations()
    assert [(each.conversation_id, each.forked_from) for each in found] == [("f", "c")]


async def test_an_interrupted_delete_leaves_no_message(counted: Counted):
    await save_new(counted.store, CANARY)
    counted.bucket.fail("delete", times=None)
    with pytest.raises(StoreUnavailableError):
        await counted.store.delete("c")
    counted.bucket.clear_faults()
    assert await counted.another().load("c") is None
    found = await counted.bucket.inner.get("pydantic-ai/c.log", max_bytes=1 << 20)
    assert found is not None
    assert CANARY.encode() not in found.body
    await save_new(counted.another(), "new")
    assert texts(await counted.store.load("c")) == ["new"]


async def test_messages_of_every_kind_come_back_as_from_their_adapter(counted: Counted):
    messages: list[ModelMessage] = [
        ModelRequest(
            parts=[UserPromptPart(["text \ud7ff é 🙂", BinaryContent(b"\x00\xff", media_type="image/png")])]
        ),
        ModelResponse(parts=[TextPart("reply")]),
        ModelRequest(parts=[ToolReturnPart(tool_name="t", content={"a": [1, None]}, tool_call_id="1")]),
    ]
    messages.append(ModelRequest(parts=[ToolReturnPart(tool_name="t", content=b"\xff", tool_call_id="2")]))
    await counted.store.save(Conversation(conversation_id="c", messages=messages))
    loaded = await counted.another().load("c")
    assert loaded is not None
    adapter = ModelMessagesTypeAdapter
    assert loaded.messages == adapter.validate_json(adapter.dump_json(messages))


async def test_a_save_of_a_rewritten_long_conversation_that_was_deleted_is_a_conflict(counted: Counted):
    await save_new(counted.store, *("x" * 100_000 for _ in range(5)))
    conversation = await counted.store.load("c")
    assert conversation is not None
    conversation.messages[0] = request("rewritten")
    await counted.another().delete("c")
    with pytest.raises(ConversationConflict):
        await counted.store.save(conversation)
    assert await counted.store.list_conversations() == []


@pytest.mark.parametrize("id", ["", "a/b", "..", "é" * 300, "sealed", "x.log"])
async def test_any_text_is_a_conversation_id(tmp_path: Path, id: str):
    store = BucketConversationStore(tmp_path)
    await save_new(store, "a", id=id)
    assert texts(await BucketConversationStore(tmp_path.as_uri()).load(id)) == ["a"]
    assert [each.conversation_id for each in await store.list_conversations()] == [id]
    await store.delete(id)
    assert files_in(tmp_path) == []


async def test_a_record_can_be_copied_and_changed(counted: Counted):
    await save_new(counted.store, "a")
    record = await counted.store.read_record("c")
    assert record is not None
    copied = deepcopy(record)
    copied.usage.requests = 99
    assert copied.head_id == record.head_id
    again = await counted.store.read_record("c")
    assert again is not None
    assert again.usage.requests == 0
    assert [entry.id for entry in await counted.store.read_history(copied.head_id)] == [record.head_id]


async def test_a_head_that_no_one_has_is_a_conflict(counted: Counted):
    for forked_from in (None, "missing"):
        record = ConversationRecord(conversation_id="c", head_id="nowhere", forked_from=forked_from)
        with pytest.raises(ConversationConflict):
            await counted.store.write_record(record, expected_revision=None)
    with pytest.raises(LookupError):
        await counted.store.read_entry("nowhere")
    assert await counted.store.list_conversations() == []


async def test_what_json_cannot_hold_is_refused_and_nothing_is_written(counted: Counted):
    class Opaque:
        pass

    part = ToolReturnPart(tool_name="t", content=Opaque(), tool_call_id="1")
    with pytest.raises(InvalidArgumentError, match="nothing was written"):
        await counted.store.save(Conversation(conversation_id="c", messages=[ModelRequest(parts=[part])]))
    assert counted.requests()["put"] == 0


async def test_a_damaged_conversation_is_named(counted: Counted):
    body = b'{"format":1,"metadata":{"record":{"conversation_id":"c"}},"sealed":[]}\n'
    await counted.bucket.inner.put("pydantic-ai/c.log", body)
    with pytest.raises(SessionCorruptedError, match=r"pydantic-ai/c\.log"):
        await counted.store.load("c")


async def test_an_unavailable_server_is_reported_and_the_save_can_be_repeated(counted: Counted):
    conversation = Conversation(conversation_id="c", messages=[request("a")])
    counted.bucket.fail("put", times=None)
    with pytest.raises(StoreUnavailableError):
        await counted.store.save(conversation)
    counted.bucket.clear_faults()
    await counted.store.save(conversation)
    assert texts(await counted.store.load("c")) == ["a"]


async def append_all(url: str, host: int) -> None:
    """Append as one host does: load, add, save, and the same again after a conflict."""
    store = BucketConversationStore(url)
    for number in range(APPENDS):
        while True:
            conversation = await store.load("c") or Conversation(conversation_id="c")
            conversation.messages.append(request(f"{host} {number}"))
            try:
                await store.save(conversation)
            except ConversationConflict:
                continue
            break
    await store.close()


async def test_two_hosts_lose_and_double_nothing_under_lost_responses(place: Place):
    place.drop_responses()
    await asyncio.gather(*(append_all(place.url(), host) for host in range(HOSTS)))
    assert place.clear_faults()
    store = BucketConversationStore(place.url())
    found = texts(await store.load("c"))
    await store.close()
    check_appends([tuple(map(int, text.split())) for text in found])


async def test_a_deleted_conversation_leaves_nothing_in_the_bucket(place: Place):
    store = BucketConversationStore(place.url())
    await save_new(store, CANARY, "x" * 300_000, CANARY, id=f"id-{CANARY}")
    assert any("/sealed/" in key for key in place.occurrences(CANARY))
    await store.delete(f"id-{CANARY}")
    await store.close()
    assert place.occurrences(CANARY) == []


def test_the_import_loads_no_other_framework_and_no_client_library():
    added = modules_added(
        "import sessionbucket.integrations.pydantic_ai", after="import pydantic_ai.conversation_store"
    )
    assert forbidden_in(added, own="pydantic_ai") == set()
