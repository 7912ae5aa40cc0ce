"""The port: bodies that come and go in chunks."""

from __future__ import annotations

from collections.abc import Generator
from hashlib import sha256

import pytest

from conformance._sync.conftest import Opener
from sessionbucket import Bucket

MIB = 1 << 20
PART = 8 * MIB


@pytest.fixture
def key(opener: Opener) -> str:
    return opener.location.key("files/large.bin")


def chunks_of(size: int, chunk: int) -> Generator[bytes, None, None]:
    """``size`` bytes of which no two MiB are alike."""
    block = bytes(range(251)) * (chunk // 251 + 1)
    for start in range(0, size, chunk):
        yield (start.to_bytes(8, "big") + block)[: min(chunk, size - start)]


def digest_of(chunks: Generator[bytes, None, None], first: bytes = b"") -> tuple[int, str]:
    digest, size = sha256(first), len(first)
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def assert_round_trip(bucket: Bucket, key: str, size: int, chunk: int, known: bool) -> None:
    bucket.put_stream(key, chunks_of(size, chunk), size=size if known else None)
    stream = bucket.get_stream(key)
    assert stream is not None
    assert stream.info.size == size
    assert digest_of(stream.chunks) == digest_of(chunks_of(size, chunk))
    head = bucket.head(key)
    assert head is not None
    assert head.size == size
    assert head.version


@pytest.mark.parametrize(
    ("size", "chunk"),
    [(0, 1), (1, 1), (1000, 1), (1000, 7), (3 * MIB, 65_536), (PART - 1, MIB), (PART, MIB), (PART, PART)],
)
def test_a_stream_of_one_part_comes_back(bucket: Bucket, key: str, size: int, chunk: int):
    assert_round_trip(bucket, key, size, chunk, known=False)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("size", "chunk"), [(PART + 1, MIB), (2 * PART, MIB), (2 * PART + 5, 3 * MIB), (3 * PART, 20 * MIB)]
)
def test_a_stream_of_several_parts_comes_back(bucket: Bucket, key: str, size: int, chunk: int, known: bool):
    assert_round_trip(bucket, key, size, chunk, known)


@pytest.mark.parametrize("good", [0, 1000, PART + MIB, 2 * PART + MIB])
def test_a_stream_that_raises_leaves_the_old_object_and_nothing_behind(
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
    found = bucket.get(key, max_bytes=100)
    assert found is not None
    assert found.body == b"old"
    assert opener.names() == ["files/large.bin"]
    if opener.location.raw:
        assert "Uploads" not in opener.location.raw.list_multipart_uploads(
            Bucket=opener.location.bucket, Prefix=key
        )


def test_a_stream_that_is_replaced_while_read_stays_of_one_version(bucket: Bucket, key: str):
    bucket.put_stream(key, chunks_of(5 * MIB, MIB))
    stream = bucket.get_stream(key)
    assert stream is not None
    first = next(stream.chunks)
    bucket.put(key, b"another")
    size, digest = digest_of(stream.chunks, first)
    assert (size, digest) == digest_of(chunks_of(5 * MIB, MIB))


def test_a_stream_that_is_closed_unread_gives_its_connection_or_file_back(bucket: Bucket, key: str):
    """An unclosed file or connection is a ResourceWarning, which fails the test."""
    bucket.put_stream(key, chunks_of(3 * MIB, MIB))
    for _ in range(3):
        stream = bucket.get_stream(key)
        assert stream is not None
        stream.chunks.close()
    stream = bucket.get_stream(key)
    assert stream is not None
    next(stream.chunks)
    stream.chunks.close()


def test_a_streams_content_type_is_kept_or_told_by_the_name(bucket: Bucket, opener: Opener):
    for size, name in ((10, "small.pdf"), (PART + 1, "large.pdf")):
        key = opener.location.key(name)
        bucket.put_stream(key, chunks_of(size, MIB), content_type="application/pdf")
        stream = bucket.get_stream(key)
        assert stream is not None
        stream.chunks.close()
        assert stream.info.content_type == "application/pdf"


def test_a_stream_replaces_the_object_that_was_there(bucket: Bucket, key: str):
    bucket.put(key, b"old")
    bucket.put_stream(key, chunks_of(PART + 1, MIB))
    head = bucket.head(key)
    assert head is not None
    assert head.size == PART + 1
