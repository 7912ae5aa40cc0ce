"""The port: streams around the sizes at which S3 buckets cut them into parts."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from conformance._async.conftest import Opener
from sessionbucket import AsyncBucket
from sessionbucket.testing._async.conformance.stream_bodies import MIB, chunks_of, digest_of

PART = 8 * MIB


@pytest.fixture
def key(opener: Opener) -> str:
    return opener.location.key("files/large.bin")


async def assert_round_trip(bucket: AsyncBucket, key: str, size: int, chunk: int, known: bool) -> None:
    await bucket.put_stream(key, chunks_of(size, chunk), size=size if known else None)
    stream = await bucket.get_stream(key)
    assert stream is not None
    assert stream.info.size == size
    assert await digest_of(stream.chunks) == await digest_of(chunks_of(size, chunk))


@pytest.mark.parametrize(("size", "chunk"), [(1000, 1), (PART - 1, MIB), (PART, MIB), (PART, PART)])
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
async def test_a_stream_that_raises_leaves_no_file_and_no_upload_behind(
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
    assert await opener.names() == ["files/large.bin"]
    assert await opener.read("files/large.bin") == b"old"
    if opener.location.is_s3:
        assert "Uploads" not in opener.location.raw.list_multipart_uploads(
            Bucket=opener.location.bucket, Prefix=key
        )


async def test_a_streams_content_type_that_the_name_tells_comes_back_in_every_kind(
    async_bucket: AsyncBucket, opener: Opener
):
    for size, name in ((10, "small.pdf"), (PART + 1, "large.pdf")):
        key = opener.location.key(name)
        await async_bucket.put_stream(key, chunks_of(size, MIB), content_type="application/pdf")
        stream = await async_bucket.get_stream(key)
        assert stream is not None
        await stream.chunks.aclose()
        assert stream.info.content_type == "application/pdf"
