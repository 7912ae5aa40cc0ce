"""The artifact service for ADK does what ADK's service in memory does, step by step; its requests and races."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from frameworks.hosts import APPENDS, CANARY, HOSTS, Place
from google.adk.artifacts import InMemoryArtifactService, artifact_util
from google.adk.artifacts.base_artifact_service import BaseArtifactService
from google.adk.errors.input_validation_error import InputValidationError
from google.genai import types

from sessionbucket import AsyncMemoryBucket, AsyncSessionStore
from sessionbucket.integrations.google_adk import BucketArtifactService
from sessionbucket.testing import AsyncFaultyBucket


def where(filename: str | None = "f", session: str | None = "s", user: str = "u") -> dict[str, Any]:
    named = {} if filename is None else {"filename": filename}
    return {"app_name": "app", "user_id": user, "session_id": session, **named}


def text(value: str) -> types.Part:
    return types.Part(text=value)


async def outcome(work: Any) -> Any:
    try:
        return await work
    except InputValidationError:
        return InputValidationError


async def story(service: BaseArtifactService) -> AsyncIterator[Any]:
    blob = types.Part(inline_data=types.Blob(data=b"\x00\xff", mime_type="image/png", display_name="d"))
    names = ["f", "dir/f", "user:f", "user:dir/é", "f.txt"]
    for name in names:
        for part in (text(name), blob):
            yield await service.save_artifact(**where(name), artifact=part, custom_metadata={"n": [name]})
    for name in names:
        yield await service.load_artifact(**where(name))
        for version in (0, 1, 2, -1):
            yield await service.load_artifact(**where(name), version=version)
        yield await service.load_artifact(**where(name, session="other"))
        yield await service.list_versions(**where(name))
        for each in await service.list_artifact_versions(**where(name)):
            yield each.version, each.mime_type, each.custom_metadata
        for version in (None, 0, 7):
            found = await service.get_artifact_version(**where(name), version=version)
            yield found and (found.version, found.mime_type, found.custom_metadata)
    for session in ("s", "other", None):
        yield await service.list_artifact_keys(**where(None, session))
    yield await service.list_artifact_keys(**where(None, user="nobody"))
    yield await service.save_artifact(
        **where("dict"), artifact={"inlineData": {"data": "AA==", "mimeType": "x/y"}}
    )
    yield await service.load_artifact(**where("dict"))
    uri = artifact_util.get_artifact_uri("app", "u", "f", 0, session_id="s")
    reference = types.Part(file_data=types.FileData(file_uri=uri))
    yield await service.save_artifact(**where("ref"), artifact=reference)
    yield await service.load_artifact(**where("ref"))
    yield await outcome(service.save_artifact(**where("ref", user="v"), artifact=reference))
    itself = artifact_util.get_artifact_uri("app", "u", "self", 0, session_id="s")
    yield await service.save_artifact(
        **where("self"), artifact=types.Part(file_data=types.FileData(file_uri=itself))
    )
    yield await outcome(service.load_artifact(**where("self")))
    external = types.Part(file_data=types.FileData(file_uri="gs://b/k", mime_type="x/z"))
    yield await service.save_artifact(**where("ext"), artifact=external)
    yield await service.load_artifact(**where("ext"))
    yield await outcome(service.save_artifact(**where("bad"), artifact=types.Part()))
    yield await outcome(service.save_artifact(**where("f", None), artifact=text("x")))
    yield await service.save_artifact(**where("user:shared", None), artifact=text("x"))
    yield await service.load_artifact(**where("user:shared", "any"))
    yield await service.save_artifact(**where("gone"), artifact=artifact_util._new_rewind_tombstone())
    yield await service.load_artifact(**where("gone"))
    for name in ("f", "missing"):
        yield await service.delete_artifact(**where(name))
        yield await service.load_artifact(**where(name))
        yield await service.list_versions(**where(name))
    yield await service.list_artifact_keys(**where(None))
    yield await service.save_artifact(**where("f"), artifact=text("again"))


async def test_every_step_is_as_in_memory():
    for url in ("memory://", None):
        ours = (
            BucketArtifactService(url)
            if url
            else BucketArtifactService(AsyncSessionStore(AsyncMemoryBucket()))
        )
        found = [step async for step in story(ours)]
        expected = [step async for step in story(InMemoryArtifactService())]
        for number, (ours_step, theirs) in enumerate(zip(found, expected, strict=True)):
            assert ours_step == theirs, number


@pytest.fixture
def bucket() -> AsyncFaultyBucket:
    return AsyncFaultyBucket(AsyncMemoryBucket())


async def test_requests(bucket: AsyncFaultyBucket):
    service = BucketArtifactService(AsyncSessionStore(bucket))

    def requests() -> Counter[str]:
        counted = Counter(call.operation for call in bucket.calls)
        bucket.calls.clear()
        return counted

    for number in range(3):
        assert await service.save_artifact(**where(), artifact=text("x")) == number
        assert requests() == {"list_page": 1, "put": 1}
    await service.load_artifact(**where())
    assert requests() == {"list_page": 1, "get": 1}
    await service.load_artifact(**where(), version=1)
    assert requests() == {"get": 1}
    await service.list_versions(**where())
    assert requests() == {"list_page": 1}
    await service.list_artifact_keys(**where(None))
    assert requests() == {"list_page": 2}


async def test_a_lost_response_is_one_version(bucket: AsyncFaultyBucket):
    service = BucketArtifactService(AsyncSessionStore(bucket))
    bucket.drop_response("put")
    assert await service.save_artifact(**where(), artifact=text("x")) == 0
    assert await service.list_versions(**where()) == [0]


@pytest.mark.parametrize("name", ["é" * 300, "user:" + "x" * 500, "", "..", "a//b", "%~"])
async def test_any_text_is_a_file_name(bucket: AsyncFaultyBucket, name: str):
    service = BucketArtifactService(AsyncSessionStore(bucket))
    await service.save_artifact(**where(name), artifact=text(name), custom_metadata={"long": "x" * 20_000})
    assert await service.list_artifact_keys(**where(None)) == [name]
    assert await service.load_artifact(**where(name)) == text(name)
    [version] = await service.list_artifact_versions(**where(name))
    assert version.custom_metadata == {"long": "x" * 20_000}


async def save_all(url: str, host: int) -> list[int]:
    service = BucketArtifactService(url)
    saved = [
        await service.save_artifact(**where(), artifact=text(f"{host} {each}")) for each in range(APPENDS)
    ]
    await service.close()
    return saved


async def test_two_hosts_lose_and_double_nothing_under_lost_responses(place: Place):
    place.drop_responses()
    saved = await asyncio.gather(*(save_all(place.url(), host) for host in range(HOSTS)))
    assert place.clear_faults()
    service = BucketArtifactService(place.url())
    assert sorted(saved[0] + saved[1]) == await service.list_versions(**where())
    for host, versions in enumerate(saved):
        assert versions == sorted(versions)
        loaded = [await service.load_artifact(**where(), version=version) for version in versions]
        assert loaded == [text(f"{host} {number}") for number in range(APPENDS)]
    await service.close()


async def test_a_deleted_artifact_leaves_nothing_in_the_bucket(place: Place):
    service = BucketArtifactService(place.url())
    for name in (CANARY, f"user:{CANARY}"):
        for _ in range(2):
            await service.save_artifact(**where(name), artifact=text(CANARY))
    assert len(place.occurrences(CANARY)) == 4
    for name in (CANARY, f"user:{CANARY}"):
        await service.delete_artifact(**where(name))
    assert place.occurrences(CANARY) == []
    await service.close()
