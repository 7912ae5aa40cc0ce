"""The port: one object."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from conformance._async.conftest import Opener
from conformance.locations import MEMORY, MOTO, SEAWEEDFS
from conformance.running._async import at_once
from sessionbucket import Absent, Anything, AsyncBucket, Match, PreconditionFailedError, SessionTooLargeError
from sessionbucket.objects import version_of

LIMIT = 1 << 20


@pytest.fixture
def key(opener: Opener) -> str:
    return opener.location.key("folder/object.json")


async def body_of(bucket: AsyncBucket, key: str) -> bytes | None:
    found = await bucket.get(key, max_bytes=LIMIT)
    return found.body if found else None


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)), "é😀\r\n".encode()])
async def test_what_was_put_is_what_get_gives(async_bucket: AsyncBucket, key: str, body: bytes):
    await async_bucket.put(key, body)
    assert await body_of(async_bucket, key) == body


async def test_a_missing_key_is_none(async_bucket: AsyncBucket, key: str):
    assert await async_bucket.get(key, max_bytes=LIMIT) is None
    assert await async_bucket.head(key) is None
    assert await async_bucket.get_stream(key) is None


async def test_a_key_in_the_place_of_a_folder_is_missing(async_bucket: AsyncBucket, key: str):
    await async_bucket.put(key, b"x")
    assert await async_bucket.head(key.removesuffix("/object.json")) is None
    assert await async_bucket.get(key + "/below", max_bytes=LIMIT) is None


async def test_get_and_head_describe_the_object_alike(async_bucket: AsyncBucket, key: str):
    before = datetime.now(UTC) - timedelta(seconds=2)
    version = await async_bucket.put(key, b"twelve bytes", content_type="application/json")
    found, head = await async_bucket.get(key, max_bytes=LIMIT), await async_bucket.head(key)
    assert found is not None
    assert found.info == head
    assert head.key == key
    assert head.size == 12
    assert head.version == version
    assert head.content_type == "application/json"
    assert before < head.updated_at < datetime.now(UTC) + timedelta(seconds=2)


async def test_a_version_is_the_md5_of_the_body_in_quotes(async_bucket: AsyncBucket, key: str):
    for body in (b"one", b"two", b""):  # an empty one last: SeaweedFS is slow to replace it
        assert await async_bucket.put(key, body) == version_of(body)


async def test_metadata_is_kept_where_the_backend_keeps_any(
    async_bucket: AsyncBucket, opener: Opener, key: str
):
    await async_bucket.put(key, b"x", metadata={"chain": "a b c"})
    head = await async_bucket.head(key)
    assert head is not None
    keeps = opener.location.kind in (MEMORY, MOTO, SEAWEEDFS)
    assert dict(head.metadata) == ({"chain": "a b c"} if keeps else {})


async def test_a_body_over_the_limit_is_refused_with_its_size(async_bucket: AsyncBucket, key: str):
    await async_bucket.put(key, b"0123456789")
    assert (await async_bucket.get(key, max_bytes=10)) is not None
    with pytest.raises(SessionTooLargeError) as caught:
        await async_bucket.get(key, max_bytes=9)
    assert (caught.value.key, caught.value.size, caught.value.limit) == (key, 10, 9)
    assert await body_of(async_bucket, key) == b"0123456789"


async def test_absent_puts_a_new_key_only(async_bucket: AsyncBucket, key: str):
    await async_bucket.put(key, b"first", condition=Absent())
    with pytest.raises(PreconditionFailedError):
        await async_bucket.put(key, b"second", condition=Absent())
    assert await body_of(async_bucket, key) == b"first"


async def test_match_replaces_that_version_only(async_bucket: AsyncBucket, key: str):
    first = await async_bucket.put(key, b"first")
    second = await async_bucket.put(key, b"second", condition=Match(first))
    with pytest.raises(PreconditionFailedError) as caught:
        await async_bucket.put(key, b"third", condition=Match(first))
    assert not caught.value.retried
    assert caught.value.key == key
    assert await body_of(async_bucket, key) == b"second"
    await async_bucket.put(key, b"third", condition=Match(second))
    assert await body_of(async_bucket, key) == b"third"


async def test_match_on_a_missing_key_puts_nothing(async_bucket: AsyncBucket, key: str):
    version = await async_bucket.put(key, b"first")
    await async_bucket.delete([key])
    with pytest.raises(PreconditionFailedError):
        await async_bucket.put(key, b"second", condition=Match(version))
    assert await async_bucket.head(key) is None


async def test_absent_holds_again_after_a_delete(async_bucket: AsyncBucket, key: str):
    await async_bucket.put(key, b"first", condition=Absent())
    await async_bucket.delete([key])
    await async_bucket.put(key, b"second", condition=Absent())
    assert await body_of(async_bucket, key) == b"second"


async def test_anything_puts_in_any_case(async_bucket: AsyncBucket, key: str):
    await async_bucket.put(key, b"first", condition=Anything())
    await async_bucket.put(key, b"second", condition=Anything())
    assert await body_of(async_bucket, key) == b"second"


async def test_a_failed_condition_leaves_nothing_behind(async_bucket: AsyncBucket, opener: Opener, key: str):
    with pytest.raises(PreconditionFailedError):
        await async_bucket.put(key, b"x", condition=Match(version_of(b"y")))
    assert await opener.names() == []


async def test_of_racing_creates_one_wins(opener: Opener, key: str):
    buckets = [opener.bucket() for _ in range(4)]
    bodies = [f"writer {number}".encode() for number in range(4)]
    answers = await at_once(
        *(
            partial(bucket.put, key, body, condition=Absent())
            for bucket, body in zip(buckets, bodies, strict=True)
        )
    )
    won = [body for body, answer in zip(bodies, answers, strict=True) if isinstance(answer, str)]
    assert len(won) == 1, answers
    assert sum(isinstance(answer, PreconditionFailedError) for answer in answers) == 3
    assert await body_of(buckets[0], key) == won[0]


async def test_of_racing_replacements_of_one_version_one_wins(opener: Opener, key: str):
    buckets = [opener.bucket() for _ in range(4)]
    version = await buckets[0].put(key, b"base")
    bodies = [f"writer {number}".encode() for number in range(4)]
    answers = await at_once(
        *(
            partial(bucket.put, key, body, condition=Match(version))
            for bucket, body in zip(buckets, bodies, strict=True)
        )
    )
    won = [body for body, answer in zip(bodies, answers, strict=True) if isinstance(answer, str)]
    assert len(won) == 1, answers
    assert await body_of(buckets[0], key) == won[0]


async def test_two_bucket_objects_of_one_location_see_the_same_objects(opener: Opener, key: str):
    one, other = opener.bucket(), opener.bucket()
    assert one.location == other.location
    await one.put(key, b"x")
    assert await body_of(other, key) == b"x"


async def test_a_closed_bucket_may_be_used_again(async_bucket: AsyncBucket, key: str):
    await async_bucket.put(key, b"x")
    await async_bucket.close()
    await async_bucket.close()
    assert await body_of(async_bucket, key) == b"x"


async def test_a_delete_of_what_is_not_there_is_fine(async_bucket: AsyncBucket, key: str):
    await async_bucket.delete([])
    await async_bucket.delete([key])
    await async_bucket.put(key, b"x")
    await async_bucket.delete([key, key + ".other"])
    await async_bucket.delete([key])
    assert await async_bucket.head(key) is None


async def test_a_delete_takes_the_named_keys_and_no_others(
    async_bucket: AsyncBucket, opener: Opener, key: str
):
    await async_bucket.put(key, b"x")
    await async_bucket.put(key + ".near", b"x")
    await async_bucket.put(key + "2/below", b"x")
    await async_bucket.delete([key])
    assert await opener.names() == ["folder/object.json.near", "folder/object.json2/below"]


async def test_puts_and_deletes_in_one_folder_do_not_disturb_each_other(opener: Opener):
    """A folder that a delete has emptied may go away while a put is about to use it."""
    bucket = opener.bucket()

    async def come_and_go(number: int) -> None:
        key = opener.location.key(f"a/b/c{number % 2}/{number}")
        for _ in range(10):
            await bucket.put(key, b"x")
            await bucket.delete([key])

    assert await at_once(*(partial(come_and_go, number) for number in range(4))) == [None] * 4
    assert await opener.names() == []
