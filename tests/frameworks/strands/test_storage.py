"""The storage for Strands Agents: its promises, its requests, and its errors."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from frameworks.hosts import APPENDS, CANARY, HOSTS, Place, check_appends, forbidden_in, modules_added
from scripted_model import ScriptedModel
from strands import Agent
from strands.session.snapshot_session_manager import SnapshotSessionManager
from strands.storage import S3Storage, Storage
from strands.types.exceptions import StorageError

from conformance.locations import Location
from sessionbucket import AsyncMemoryBucket, AsyncSessionStore, ConflictError
from sessionbucket.integrations.strands import BucketStorage
from sessionbucket.testing import AsyncFaultyBucket


@pytest.fixture
def bucket() -> AsyncFaultyBucket:
    return AsyncFaultyBucket(AsyncMemoryBucket())


def storage_in(bucket: AsyncFaultyBucket, **options: Any) -> BucketStorage:
    return BucketStorage(AsyncSessionStore(bucket), **options)


def operations(bucket: AsyncFaultyBucket) -> Counter[str]:
    """The requests since the last call."""
    counted = Counter(call.operation for call in bucket.calls)
    bucket.calls.clear()
    return counted


def agent_of(storage: Storage, *replies: str) -> Agent:
    return Agent(
        model=ScriptedModel(*replies),
        agent_id="a",
        session_manager=SnapshotSessionManager("s", storage=storage),
        callback_handler=None,
    )


async def test_a_resume_is_one_get_and_an_invocation_one_put(bucket: AsyncFaultyBucket):
    agent = agent_of(storage_in(bucket), "one", "two")
    assert operations(bucket) == {"get": 1}
    await agent.invoke_async("hello")
    await agent.invoke_async("again")
    assert operations(bucket) == {"put": 2}
    resumed = agent_of(storage_in(bucket))
    assert operations(bucket) == {"get": 1}
    assert [message["content"][0]["text"] for message in resumed.messages] == ["hello", "one", "again", "two"]


async def test_a_second_worker_gets_an_error_and_overwrites_nothing(bucket: AsyncFaultyBucket):
    first, second = agent_of(storage_in(bucket), "one"), agent_of(storage_in(bucket), "lost")
    await first.invoke_async("first")
    with pytest.raises(Exception, match=r"changed|exists") as raised:
        await second.invoke_async("second")
    error: BaseException | None = raised.value
    while error is not None and not isinstance(error, ConflictError):
        error = error.__cause__ or error.__context__
    assert isinstance(error, ConflictError)
    assert [each["content"][0]["text"] for each in agent_of(storage_in(bucket)).messages] == ["first", "one"]


async def test_overwriting_is_a_choice(bucket: AsyncFaultyBucket):
    storages = [storage_in(bucket, on_conflict="overwrite") for _ in range(2)]
    for storage in storages:
        assert await storage.read("k") is None
    for storage in storages:
        await storage.write("k", b"x")
    await storages[0].write("k", b"y")
    assert await storages[1].read("k") == b"y"


async def test_a_lost_response_is_no_conflict(bucket: AsyncFaultyBucket):
    storage = storage_in(bucket)
    assert await storage.read("k") is None
    for number in range(3):
        bucket.drop_response("put")
        await storage.write("k", b"%d" % number)
    assert await storage.read("k") == b"2"


async def test_after_a_conflict_a_read_makes_writes_possible_again(bucket: AsyncFaultyBucket):
    one, other = storage_in(bucket), storage_in(bucket)
    assert await one.read("k") is None
    await other.write("k", b"other")
    for _ in range(2):
        with pytest.raises(StorageError):
            await one.write("k", b"lost")
    assert await one.read("k") == b"other"
    await one.write("k", b"one")
    assert await other.read("k") == b"one"


async def test_every_failure_is_a_storage_error(bucket: AsyncFaultyBucket):
    storage = storage_in(bucket)
    bucket.fail(times=None)
    for call in (storage.read("k"), storage.write("k", b""), storage.delete("k"), storage.list("")):
        with pytest.raises(StorageError):
            await call
    with pytest.raises(StorageError, match="BucketSessionRepository"):
        await storage.write("repository/x", b"")


async def test_the_trees_of_s3_storage_and_ours_are_the_same(moto: Location, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto.endpoint_url)
    theirs = S3Storage(moto.bucket, prefix="p/strands", region_name="us-east-1")
    agent_of(theirs, "one")("hello")
    ours = BucketStorage(f"s3://{moto.bucket}/p?endpoint_url={moto.endpoint_url}")
    assert await ours.list() == await theirs.list("")
    for key in await ours.list():
        assert await ours.read(key) == await theirs.read(key)
    await ours.write("session/x", b"\x00\xff")
    assert await theirs.read("session/x") == b"\x00\xff"
    await ours.close()


def check_nothing_was_written(error: StorageError) -> None:
    assert isinstance(error.__cause__, ConflictError)
    assert error.__cause__.outcome == "not written"


async def append_all(url: str, host: int) -> None:
    storage = BucketStorage(url)
    for number in range(APPENDS):
        while True:
            rows = json.loads(await storage.read("session/rows") or b"[]")
            try:
                await storage.write("session/rows", json.dumps([*rows, [host, number]]).encode())
            except StorageError as error:
                check_nothing_was_written(error)
                continue
            break
    await storage.close()


async def test_two_hosts_lose_and_double_nothing_under_lost_responses(place: Place):
    place.drop_responses()
    await asyncio.gather(*(append_all(place.url(), host) for host in range(HOSTS)))
    assert place.clear_faults()
    storage = BucketStorage(place.url())
    check_appends([tuple(row) for row in json.loads(await storage.read("session/rows") or b"[]")])
    await storage.close()


async def test_a_deleted_session_leaves_nothing_in_the_bucket(place: Place):
    storage = BucketStorage(place.url())
    manager = SnapshotSessionManager(f"s-{CANARY}", storage=storage)
    agent = Agent(model=ScriptedModel(CANARY), agent_id="a", session_manager=manager, callback_handler=None)
    await agent.invoke_async(CANARY)
    assert place.occurrences(CANARY)
    await manager.delete_session()
    assert place.occurrences(CANARY) == []
    await storage.close()


async def test_a_folder_is_a_store(tmp_path: Path):
    await BucketStorage(tmp_path).write("session/a", b"x")
    assert (tmp_path / "strands" / "session" / "a").read_bytes() == b"x"


def test_the_import_loads_no_other_framework_and_no_client_library():
    after = "import strands, strands.session.session_repository, strands.storage"
    assert (
        forbidden_in(modules_added("import sessionbucket.integrations.strands", after=after), own="strands")
        == set()
    )
