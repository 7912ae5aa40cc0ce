# Generated from sessionbucket/testing/_async/conformance/stream_bodies.py by scripts/generate_sync.py: do not edit.
"""Streams: bodies that come and go in chunks."""

from __future__ import annotations

from collections.abc import Generator
from hashlib import sha256

import pytest

from sessionbucket.testing._sync.conformance.bucket_case import BucketCase

MIB = 1 << 20


def chunks_of(size: int, chunk: int) -> Generator[bytes, None, None]:
    """``size`` bytes in chunks of which no two are alike."""
    block = bytes(range(251)) * (chunk // 251 + 1)
    for start in range(0, size, chunk):
        yield (start.to_bytes(8, "big") + block)[: min(chunk, size - start)]


def digest_of(chunks: Generator[bytes, None, None], first: bytes = b"") -> tuple[int, str]:
    """How many bytes the chunks have, and their digest."""
    digest, size = sha256(first), len(first)
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


class StreamTests(BucketCase):
    """``put_stream`` and ``get_stream``."""

    @pytest.mark.parametrize("known", [True, False], ids=["size known", "size not known"])
    @pytest.mark.parametrize(
        ("size", "chunk"), [(0, 1), (1, 1), (1000, 7), (3 * MIB, 65_536), (20 * MIB + 5, 3 * MIB)]
    )
    def test_a_stream_comes_back_as_it_was_put(self, size: int, chunk: int, known: bool) -> None:
        self.bucket.put_stream(self.key(), chunks_of(size, chunk), size=size if known else None)
        stream = self.bucket.get_stream(self.key())
        assert stream is not None, "get_stream does not find the object that was just put"
        if self.bucket.capabilities.lists_body_sizes:
            assert stream.info.size == size, f"get_stream returned {stream.info.size} bytes of {size}"
        assert digest_of(stream.chunks) == digest_of(chunks_of(size, chunk)), (
            "get_stream must return exactly the bytes that put_stream was given"
        )
        head = self.bucket.head(self.key())
        assert head is not None, "head does not find the object that was put as a stream"
        if self.bucket.capabilities.lists_body_sizes:
            assert head.size == size, f"head returned {head.size} bytes of {size}"
        assert head.version, "an object that was put as a stream must have a version"

    def test_a_stream_and_a_whole_body_are_one_kind_of_object(self) -> None:
        self.bucket.put_stream(self.key("s"), chunks_of(1000, 7))
        found = self.bucket.get(self.key("s"), max_bytes=1000)
        assert found is not None, "get does not find the object that was put as a stream"
        assert len(found.body) == 1000, "get must return what put_stream put"
        self.bucket.put(self.key("b"), b"whole")
        stream = self.bucket.get_stream(self.key("b"))
        assert stream is not None, "get_stream does not find what put has put"
        assert b"".join([chunk for chunk in stream.chunks]) == b"whole", "get_stream must return what put put"

    @pytest.mark.parametrize("good", [0, 1000, 9 * MIB])
    def test_a_stream_that_raises_leaves_the_old_object_and_nothing_behind(self, good: int) -> None:
        def failing() -> Generator[bytes, None, None]:
            for chunk in chunks_of(good, MIB):
                yield bytes(chunk)
            raise RuntimeError("the source broke")

        with pytest.raises(RuntimeError, match="the source broke"):
            self.bucket.put_stream(self.key(), failing())
        page = self.bucket.list_page(self.prefix)
        assert not page.objects, "a put_stream whose chunks raise must leave nothing behind"
        self.bucket.put(self.key(), b"old")
        with pytest.raises(RuntimeError, match="the source broke"):
            self.bucket.put_stream(self.key(), failing())
        assert self.body_of(self.key()) == b"old", "a put_stream whose chunks raise must change nothing"
        page = self.bucket.list_page(self.prefix)
        assert len(page.objects) == 1, "a put_stream whose chunks raise must leave nothing behind"

    def test_a_stream_that_is_replaced_while_read_stays_of_one_version(self) -> None:
        self.bucket.put_stream(self.key(), chunks_of(5 * MIB, MIB))
        stream = self.bucket.get_stream(self.key())
        assert stream is not None, "get_stream does not find the object that was just put"
        first = next(stream.chunks)
        self.bucket.put(self.key(), b"another")
        assert digest_of(stream.chunks, first) == digest_of(chunks_of(5 * MIB, MIB)), (
            "a stream must be of one version: the object was replaced while it was read, and other bytes came"
        )

    def test_a_stream_that_is_closed_early_releases_its_resources(self) -> None:
        self.bucket.put_stream(self.key(), chunks_of(3 * MIB, MIB))
        for _ in range(3):
            stream = self.bucket.get_stream(self.key())
            assert stream is not None, "get_stream does not find the object that was just put"
            stream.chunks.close()
        stream = self.bucket.get_stream(self.key())
        assert stream is not None, "get_stream does not find the object that was just put"
        next(stream.chunks)
        stream.chunks.close()
        self.bucket.put(self.key(), b"x")
        self.bucket.delete([self.key()])
        assert self.bucket.head(self.key()) is None, "an object whose streams are closed can be deleted"

    def test_a_streams_content_type_comes_back_where_the_bucket_keeps_any(self) -> None:
        for size in (10, 9 * MIB):
            wanted = f"text/x-conformance; size={size}"
            self.bucket.put_stream(self.key(), chunks_of(size, MIB), content_type=wanted)
            stream = self.bucket.get_stream(self.key())
            assert stream is not None, "get_stream does not find the object that was just put"
            stream.chunks.close()
            if self.bucket.capabilities.keeps_metadata:
                assert stream.info.content_type == wanted, (
                    f"the content type was lost: put_stream sent {wanted!r}, and get_stream returned "
                    f"{stream.info.content_type!r}; a bucket that keeps none has keeps_metadata=False in its capabilities"
                )

    def test_a_stream_replaces_the_object(self) -> None:
        before = self.bucket.put(self.key(), b"old")
        self.bucket.put_stream(self.key(), chunks_of(9 * MIB, MIB))
        head = self.bucket.head(self.key())
        assert head is not None, "head does not find the object that was put as a stream"
        if self.bucket.capabilities.lists_body_sizes:
            assert head.size == 9 * MIB, f"head returned {head.size} bytes of {9 * MIB}"
        assert head.version != before, "put_stream must give the object another version"
