"""The stores for Agent Framework do what its stores in memory and in files do, step by step; their requests and races."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from agent_framework import (
    Agent,
    AgentSession,
    BaseChatClient,
    ChatResponse,
    FileCheckpointStorage,
    FileHistoryProvider,
    FileSessionStore,
    InMemoryCheckpointStorage,
    Message,
    WorkflowCheckpoint,
    WorkflowCheckpointException,
)
from agent_framework import SessionStore as SessionStoreInMemory
from frameworks.hosts import APPENDS, CANARY, HOSTS, Place, check_appends, forbidden_in, modules_added

from sessionbucket import AsyncMemoryBucket, AsyncSessionStore, ConflictError, SessionCorruptedError
from sessionbucket.integrations.agent_framework import (
    BucketCheckpointStorage,
    BucketHistoryProvider,
    BucketSessionStore,
)
from sessionbucket.testing import AsyncFaultyBucket


class Counted:
    """A bucket in memory whose requests are counted."""

    def __init__(self) -> None:
        self.bucket = AsyncFaultyBucket(AsyncMemoryBucket())

    @property
    def store(self) -> AsyncSessionStore[Any]:
        return AsyncSessionStore(self.bucket)

    def requests(self) -> Counter[str]:
        """The requests since the last call."""
        counted = Counter(call.operation for call in self.bucket.calls)
        self.bucket.calls.clear()
        return counted


@pytest.fixture
def counted() -> Counted:
    return Counted()


async def steps(story: Callable[[Any], AsyncIterator[Any]], store: Any) -> list[Any]:
    return [step async for step in story(store)]


async def outcome(work: Any) -> Any:
    try:
        return await work
    except (ValueError, WorkflowCheckpointException) as error:
        return type(error)


# Sessions


def session(id: str, **state: Any) -> AgentSession:
    made = AgentSession(session_id=id, service_session_id={"conversation": "c"})
    made.state = state
    return made


async def sessions_of(store: Any) -> AsyncIterator[Any]:
    def seen(found: AgentSession | None) -> Any:
        return found and found.to_dict()

    yield seen(await store.get("a"))
    first = session("inner", n=1, messages=[Message("user", ["é 🙂"])])
    await store.set("a", first)
    first.state["n"] = "changed by the caller alone"
    yield seen(await store.get("a"))
    found = await store.get("a")
    found.state["n"] = 2
    await store.set("a", found)
    await store.set("a", found)
    yield seen(await store.get("a"))
    await store.set("b", found)
    yield seen(await store.get("b"))
    await store.set("a", session("replaced"))
    yield seen(await store.get("a"))
    await store.delete("a")
    await store.delete("a")
    yield seen(await store.get("a"))
    yield seen(await store.get("b"))
    for call in (store.get(""), store.set("", first), store.delete("")):
        yield await outcome(call)


async def test_every_step_of_sessions_is_as_in_memory_and_in_files(counted: Counted, tmp_path: Path):
    found = await steps(sessions_of, BucketSessionStore(counted.store))
    assert found == await steps(sessions_of, SessionStoreInMemory())
    assert found == await steps(sessions_of, FileSessionStore(tmp_path))


async def test_a_turn_of_a_stored_session_is_one_get_and_one_put(counted: Counted):
    store = BucketSessionStore(counted.store)
    for number in range(3):
        found = await store.get("s") or AgentSession(session_id="s")
        found.state["n"] = number
        await store.set("s", found)
        assert counted.requests() == {"get": 1, "put": 1}
    found.state["n"] = 3
    counted.bucket.drop_response("put")
    await store.set("s", found)
    last = await BucketSessionStore(counted.store).get("s")
    assert last is not None
    assert last.state == {"n": 3}


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize("stores", [1, 2])
async def test_an_outdated_session_is_refused_and_changes_nothing(
    counted: Counted, is_stored: bool, stores: int
):
    one = BucketSessionStore(counted.store)
    other = BucketSessionStore(counted.store) if stores == 2 else one
    if is_stored:
        await one.set("s", session("s"))
    first, second = [await each.get("s") or session("s") for each in (one, other)]
    second.state["by"] = "second"
    await other.set("s", second)
    if is_stored or stores == 2:
        with pytest.raises(ConflictError):
            await one.set("s", first)
    found = await one.get("s")
    assert found is not None
    assert found.state == {"by": "second"}


def check_nothing_was_written(error: ConflictError) -> None:
    assert error.outcome == "not written"


async def change_all(url: str, host: int) -> None:
    """Change as one host does: after a conflict, it gets the session again."""
    store = BucketSessionStore(url)
    for number in range(APPENDS):
        while True:
            found = await store.get("s") or AgentSession(session_id="s")
            found.state.setdefault("rows", []).append([host, number])
            try:
                await store.set("s", found)
            except ConflictError as error:
                check_nothing_was_written(error)
                continue
            break
    await store.close()


async def test_two_hosts_lose_and_double_no_change_of_a_session_under_lost_responses(place: Place):
    place.drop_responses()
    await asyncio.gather(*(change_all(place.url(), host) for host in range(HOSTS)))
    assert place.clear_faults()
    store = BucketSessionStore(place.url())
    found = await store.get("s")
    await store.close()
    assert found is not None
    check_appends([tuple(row) for row in found.state["rows"]])


# Histories


class ScriptedClient(BaseChatClient):
    """Replies with the texts of all messages that it gets."""

    async def _inner_get_response(
        self, *, messages: Any, options: Any, stream: bool = False, **_: Any
    ) -> Any:
        return ChatResponse(messages=[Message("assistant", [" | ".join(each.text for each in messages)])])


async def histories_of(provider: Any) -> AsyncIterator[Any]:
    def seen(messages: list[Message]) -> Any:
        return [each.to_dict() for each in messages]

    user = Message("user", ["é 🙂"], message_id="1")
    plain = [
        Message("user", ["plain"]),
        Message("assistant", ["reply"], additional_properties={"_excluded": True}),
    ]
    yield seen(await provider.get_messages("s"))
    for batch in (
        [user],
        plain,
        plain,
        [user, *plain],
        [plain[0]],
        [plain[0]],
        [],
        [Message("user", ["new"])],
    ):
        await provider.save_messages("s", batch)
        yield seen(await provider.get_messages("s"))
    yield seen(await provider.get_messages("other"))


@pytest.mark.parametrize("skip_excluded", [False, True])
async def test_every_step_of_a_history_is_as_in_files(counted: Counted, tmp_path: Path, skip_excluded: bool):
    ours = BucketHistoryProvider(counted.store, skip_excluded=skip_excluded)
    theirs = FileHistoryProvider(tmp_path, skip_excluded=skip_excluded)
    assert await steps(histories_of, ours) == await steps(histories_of, theirs)


async def test_a_run_of_an_agent_is_one_get_and_one_put(counted: Counted):
    for number in range(3):
        history = BucketHistoryProvider(counted.store)
        agent = Agent(ScriptedClient(), context_providers=[history])
        reply = await agent.run(f"turn {number}", session=agent.create_session(session_id="s"))
        assert counted.requests() == {"get": 1, "put": 1}
    assert reply.text == "turn 0 | turn 0 | turn 1 | turn 0 | turn 0 | turn 1 | turn 2"


async def test_a_run_without_a_session_id_stores_nothing(counted: Counted):
    history = BucketHistoryProvider(counted.store)
    await history.save_messages(None, [Message("user", ["x"])])
    assert await history.get_messages(None) == []
    assert counted.requests() == {}


async def save_all(url: str, host: int) -> None:
    history = BucketHistoryProvider(url)
    for number in range(APPENDS):
        padding = "x" * (40_000 if number % 3 == 0 else 10)
        await history.save_messages("s", [Message("user", [f"{host} {number} {padding}"])])
    await history.close()


async def test_two_hosts_lose_and_double_no_message_under_lost_responses(place: Place):
    place.drop_responses()
    await asyncio.gather(*(save_all(place.url(), host) for host in range(HOSTS)))
    assert place.clear_faults()
    history = BucketHistoryProvider(place.url())
    texts = [each.text.split() for each in await history.get_messages("s")]
    await history.close()
    check_appends([(int(host), int(number)) for host, number, _ in texts])


# Checkpoints


def checkpoint(number: int, workflow: str = "w", **options: Any) -> WorkflowCheckpoint:
    return WorkflowCheckpoint(
        workflow,
        "hash",
        checkpoint_id=f"id/{number}",
        timestamp=f"2026-01-01T00:00:{number:02}+00:00",
        state={"n": number, "when": {1, 2}},
        **options,
    )


async def checkpoints_of(storage: Any) -> AsyncIterator[Any]:
    yield await storage.get_latest(workflow_name="w")
    yield await storage.list_checkpoint_ids(workflow_name="w")
    for number in (1, 2, 3):
        yield await storage.save(checkpoint(number, previous_checkpoint_id=f"id/{number - 1}"))
    yield await storage.save(checkpoint(4, "other/é"))
    yield await storage.save(checkpoint(2))
    for workflow in ("w", "other/é", "none"):
        yield await storage.get_latest(workflow_name=workflow)
        yield await storage.list_checkpoints(workflow_name=workflow)
        yield await storage.list_checkpoint_ids(workflow_name=workflow)
    for id in ("id/1", "id/4", "missing"):
        yield await outcome(storage.load(id))
    for id in ("id/3", "id/3", "missing"):
        yield await storage.delete(id)
    yield await storage.get_latest(workflow_name="w")
    yield await storage.list_checkpoint_ids(workflow_name="w")
    yield await outcome(storage.load("id/3"))


async def test_every_step_of_checkpoints_is_as_in_memory(counted: Counted):
    ours = BucketCheckpointStorage(counted.store)
    assert await steps(checkpoints_of, ours) == await steps(checkpoints_of, InMemoryCheckpointStorage())


async def test_the_latest_checkpoint_is_one_list_and_one_get(counted: Counted):
    storage = BucketCheckpointStorage(counted.store)
    for number in range(20):
        await storage.save(checkpoint(number))
    assert counted.requests() == {"put": 40}
    found = await storage.get_latest(workflow_name="w")
    assert found is not None
    assert found.checkpoint_id == "id/19"
    assert counted.requests() == {"list_page": 1, "get": 1}
    await storage.load("id/3")
    assert counted.requests() == {"get": 1}


class Opaque:
    pass


async def test_types_that_are_not_allowed_are_refused_as_in_files(counted: Counted, tmp_path: Path):
    state = WorkflowCheckpoint("w", "hash", state={"x": Opaque()})
    for storage in (BucketCheckpointStorage(counted.store), FileCheckpointStorage(tmp_path)):
        with pytest.raises(WorkflowCheckpointException):
            await storage.save(state)
    assert counted.requests() == {}
    allowed = f"{Opaque.__module__}:{Opaque.__qualname__}"
    storage = BucketCheckpointStorage(counted.store, allowed_checkpoint_types=[allowed])
    restored = await storage.load(await storage.save(state))
    assert isinstance(restored.state["x"], Opaque)


async def test_an_interrupted_delete_hides_the_checkpoint(counted: Counted):
    storage = BucketCheckpointStorage(counted.store)
    for number in (1, 2):
        await storage.save(checkpoint(number))
    await counted.bucket.inner.delete(["agent-framework/checkpoints/id%2F2.json"])
    found = await storage.get_latest(workflow_name="w")
    assert found is not None
    assert found.checkpoint_id == "id/1"
    assert await storage.list_checkpoint_ids(workflow_name="w") == ["id/1"]


# All three


async def test_damaged_data_is_named(counted: Counted):
    for key in ("sessions/s.json", "checkpoints/s.json"):
        await counted.bucket.inner.put(f"agent-framework/{key}", b'{"format":2}')
    for call in (
        BucketSessionStore(counted.store).get("s"),
        BucketCheckpointStorage(counted.store).load("s"),
    ):
        with pytest.raises(SessionCorruptedError, match=r"agent-framework/.*s\.json"):
            await call


async def test_deletes_leave_nothing_in_the_bucket(place: Place):
    sessions, checkpoints = BucketSessionStore(place.url()), BucketCheckpointStorage(place.url())
    await sessions.set(CANARY, session(CANARY, text=CANARY))
    await checkpoints.save(WorkflowCheckpoint(CANARY, "hash", checkpoint_id=CANARY))
    assert len(place.occurrences(CANARY)) == 3
    await sessions.delete(CANARY)
    await checkpoints.delete(CANARY)
    assert place.occurrences(CANARY) == []
    await sessions.close()
    await checkpoints.close()


def test_the_import_loads_no_other_framework_and_no_client_library():
    added = modules_added(
        "import sessionbucket.integrations.agent_framework",
        after="import agent_framework; from agent_framework import *",
    )
    assert forbidden_in(added, own="agent_framework") == set()
