"""The port: streams around the sizes at which S3 buckets split them into parts."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from conformance.conftest import Opener
from sessionbucket import Bucket
from sessionbucket.testing._sync.conformance.stream_bodies import MIB, chunks_of, digest_of

PART = 8 * MIB


@pytest.fixture
def key(opener: Opener) -> str:
    return opener.location.key("files/large.bin")


def assert_round_trip(bucket: Bucket, key: str, size: int, chunk: int, known: bool) -> None:
    bucket.put_stream(key, chunks_of(size, chunk), size=size if known else None)
    stream = bucket.get_stream(key)
    assert stream is not None
    assert stream.info.size == size
    assert digest_of(stream.chunks) == digest_of(chunks_of(size, chunk))


@pytest.mark.parametrize(("size", "chunk"), [(1000, 1), (PART - 1, MIB), (PART, MIB), (PART, PART)])
def test_a_stream_of_one_part_comes_back(bucket: Bucket, key: str, size: int, chunk: int):
    assert_round_trip(bucket, key, size, chunk, known=False)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("size", "chunk"),
    [
        (PART + 1, MIB),
        pytest.param(2 * PART, MIB, marks=pytest.mark.slow),
        (2 * PART + 5, 3 * MIB),
        pytest.param(3 * PART, 20 * MIB, marks=pytest.mark.slow),
    ],
)
def test_a_stream_of_several_parts_comes_back(bucket: Bucket, key: str, size: int, chunk: int, known: bool):
    assert_round_trip(bucket, key, size, chunk, known)


@pytest.mark.parametrize("good", [0, 1000, PART + MIB, pytest.param(2 * PART + MIB, marks=pytest.mark.slow)])
def test_a_stream_that_raises_leaves_no_object_and_no_upload_behind(
    bucket: Bucket, opener: Opener, key: str, good: int
):
    def failing() -> Generator[bytes, None, None]:
        for chunk in chunks_of(good, MIB):
            yield bytes(chunk)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        bucket.put_stream(key, failing())
    assert opener.names() == []
    bucket.put(key, b"old")
    with pytest.raises(RuntimeError, match="the source broke"):
        bucket.put_stream(key, failing())
    assert opener.names() == ["files/large.bin"]
    assert opener.read("files/large.bin") == b"old"
    if opener.location.is_s3:
        assert "Uploads" not in opener.location.raw.list_multipart_uploads(
            Bucket=opener.location.bucket, Prefix=key
        )


def test_a_streams_content_type_that_matches_the_name_comes_back_from_every_kind(
    bucket: Bucket, opener: Opener
):
    for size, name in ((10, "small.pdf"), (PART + 1, "large.pdf")):
        key = opener.location.key(name)
        bucket.put_stream(key, chunks_of(size, MIB), content_type="application/pdf")
        stream = bucket.get_stream(key)
        assert stream is not None
        stream.chunks.close()
        assert stream.info.content_type == "application/pdf"
