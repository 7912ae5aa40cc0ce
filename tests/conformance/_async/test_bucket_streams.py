"""The port: bodies that come and go in chunks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from hashlib import sha256

import pytest

from conformance._async.conftest import Opener
from sessionbucket import AsyncBucket

MIB = 1 << 20
PART = 8 * MIB


@pytest.fixture
def key(opener: Opener) -> str:
    return opener.location.key("files/large.bin")


async def chunks_of(size: int, chunk: int) -> AsyncGenerator[bytes, None]:
    """``size`` bytes of which no two MiB are alike."""
    block = bytes(range(251)) * (chunk // 251 + 1)
    for start in range(0, size, chunk):
        yield (start.to_bytes(8, "big") + block)[: min(chunk, size - start)]


async def digest_of(chunks: AsyncGenerator[bytes, None], first: bytes = b"") -> tuple[int, str]:
    digest, size = sha256(first), len(first)
    async for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


async def assert_round_trip(bucket: AsyncBucket, key: str, size: int, chunk: int, known: bool) -> None:
    await bucket.put_stream(key, chunks_of(size, chunk), size=size if known else None)
    stream = await bucket.get_stream(key)
    assert stream is not None
    assert stream.info.size == size
    assert await digest_of(stream.chunks) == await digest_of(chunks_of(size, chunk))
    head = await bucket.head(key)
    assert head is not None
    assert head.size == size
    assert head.version


@pytest.mark.parametrize(
    ("size", "chunk"),
    [(0, 1), (1, 1), (1000, 1), (1000, 7), (3 * MIB, 65_536), (PART - 1, MIB), (PART, MIB), (PART, PART)],
)
async def test_a_stream_of_one_part_comes_back(async_bucket: AsyncBucket, key: str, size: int, chunk: int):
    await assert_round_trip(async_bucket, key, size, chunk, known=False)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("size", "chunk"), [(PART + 1, MIB), (2 * PART, MIB), (2 * PART + 5, 3 * MIB), (3 * PART, 20 * MIB)]
)
async def test_a_stream_of_several_parts_comes_back(
    async_bucket: AsyncBucket, key: str, size: int, chunk: int, known: bool
):
    await assert_round_trip(async_bucket, key, size, chunk, known)


@pytest.mark.parametrize("good", [0, 1000, PART + MIB, 2 * PART + MIB])
async def test_a_stream_that_raises_leaves_the_old_object_and_nothing_behind(
    async_bucket: AsyncBucket, opener: Opener, key: str, good: int
):
    async def failing() -> AsyncGenerator[bytes, None]:
        async for chunk in chunks_of(good, MIB):
            yield bytes(chunk)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        await async_bucket.put_stream(key, failing())
    assert await opener.names() == []
    await async_bucket.put(key, b"old")
    with pytest.raises(RuntimeError, match="the source broke"):
        await async_bucket.put_stream(key, failing())
    found = await async_bucket.get(key, max_bytes=100)
    assert found is not None
    assert found.body == b"old"
    assert await opener.names() == ["files/large.bin"]
    if opener.location.raw:
        assert "Uploads" not in opener.location.raw.list_multipart_uploads(
            Bucket=opener.location.bucket, Prefix=key
        )


async def test_a_stream_that_is_replaced_while_read_stays_of_one_version(async_bucket: AsyncBucket, key: str):
    await async_bucket.put_stream(key, chunks_of(5 * MIB, MIB))
    stream = await async_bucket.get_stream(key)
    assert stream is not None
    first = await anext(stream.chunks)
    await async_bucket.put(key, b"another")
    size, digest = await digest_of(stream.chunks, first)
    assert (size, digest) == await digest_of(chunks_of(5 * MIB, MIB))


async def test_a_stream_that_is_closed_unread_gives_its_connection_or_file_back(
    async_bucket: AsyncBucket, key: str
):
    """An unclosed file or connection is a ResourceWarning, which fails the test."""
    await async_bucket.put_stream(key, chunks_of(3 * MIB, MIB))
    for _ in range(3):
        stream = await async_bucket.get_stream(key)
        assert stream is not None
        await stream.chunks.aclose()
    stream = await async_bucket.get_stream(key)
    assert stream is not None
    await anext(stream.chunks)
    await stream.chunks.aclose()


async def test_a_streams_content_type_is_kept_or_told_by_the_name(async_bucket: AsyncBucket, opener: Opener):
    for size, name in ((10, "small.pdf"), (PART + 1, "large.pdf")):
        key = opener.location.key(name)
        await async_bucket.put_stream(key, chunks_of(size, MIB), content_type="application/pdf")
        stream = await async_bucket.get_stream(key)
        assert stream is not None
        await stream.chunks.aclose()
        assert stream.info.content_type == "application/pdf"


async def test_a_stream_replaces_the_object_that_was_there(async_bucket: AsyncBucket, key: str):
    await async_bucket.put(key, b"old")
    await async_bucket.put_stream(key, chunks_of(PART + 1, MIB))
    head = await async_bucket.head(key)
    assert head is not None
    assert head.size == PART + 1
