"""The port: what our buckets promise beyond it, and what they leave when looked at by other means."""

from __future__ import annotations

from functools import partial

import pytest

from conformance._async.conftest import Opener
from conformance.locations import AZURITE, FILE
from sessionbucket import AsyncBucket, Match, PreconditionFailedError
from sessionbucket._core.objects import version_of
from sessionbucket.testing._concurrency.asyncio_ import at_once


@pytest.fixture
def key(opener: Opener) -> str:
    return opener.location.key("folder/object.json")


async def test_a_version_is_the_md5_of_the_body_in_quotes(
    async_bucket: AsyncBucket, opener: Opener, key: str
):
    if opener.location.kind == AZURITE:
        pytest.skip("a version of Azure's says nothing of the body")
    for body in (b"one", b"two", b""):  # an empty one last: SeaweedFS is slow to replace it
        assert await async_bucket.put(key, body) == version_of(body)


async def test_a_content_type_that_the_name_tells_comes_back_in_every_kind(
    async_bucket: AsyncBucket, key: str
):
    await async_bucket.put(key, b"x", content_type="application/json")
    head = await async_bucket.head(key)
    assert head is not None
    assert head.content_type == "application/json"


async def test_a_folder_keeps_no_metadata(async_bucket: AsyncBucket, opener: Opener, key: str):
    await async_bucket.put(key, b"x", metadata={"chain": "a b c"})
    head = await async_bucket.head(key)
    assert head is not None
    assert dict(head.metadata) == ({} if opener.location.kind == FILE else {"chain": "a b c"})


async def test_a_failed_condition_leaves_nothing_behind(async_bucket: AsyncBucket, opener: Opener, key: str):
    with pytest.raises(PreconditionFailedError):
        await async_bucket.put(key, b"x", condition=Match(version_of(b"y")))
    assert await opener.names() == []


async def test_a_delete_takes_the_named_keys_and_no_others(
    async_bucket: AsyncBucket, opener: Opener, key: str
):
    await async_bucket.put(key, b"x")
    await async_bucket.put(key + ".near", b"x")
    await async_bucket.put(key + "2/below", b"x")
    await async_bucket.delete([key])
    assert await opener.names() == ["folder/object.json.near", "folder/object.json2/below"]


async def test_puts_and_deletes_in_one_folder_leave_nothing_behind(opener: Opener):
    """A folder that a delete has emptied may go away while a put is about to use it."""
    bucket = opener.bucket()

    async def come_and_go(number: int) -> None:
        key = opener.location.key(f"a/b/c{number % 2}/{number}")
        for _ in range(10):
            await bucket.put(key, b"x")
            await bucket.delete([key])

    assert await at_once(*(partial(come_and_go, number) for number in range(4))) == [None] * 4
    assert await opener.names() == []
