"""Bucket wrappers as a user would write them: one that changes every body, and one that observes every request."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, TypeVar

from sessionbucket import (
    AsyncBucket,
    AsyncBucketWrapper,
    AsyncObjectStream,
    Bucket,
    BucketCall,
    BucketWrapper,
    Capabilities,
    NotSupportedError,
    ObjectStream,
    ObjectTooLargeError,
    StoredObject,
)

T = TypeVar("T")

LARGEST_EXPANSION = 1024
"""More bytes than zlib adds to a body of any size that the tests use."""


def decompressed(found: StoredObject | None, max_bytes: int, first: int | None) -> StoredObject | None:
    if found is None:
        return None
    body = zlib.decompress(found.body)[:first]
    if len(body) > max_bytes:
        raise ObjectTooLargeError(found.info.key, size=len(body), limit=max_bytes)
    return StoredObject(found.info, body)


class _Compressing:
    """What both sides share: sizes are those of the compressed bodies, and a presigned URL would return one."""

    inner: Bucket | AsyncBucket

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities._replace(lists_body_sizes=False, presigns=False)

    def presign(self, key: str, **options: Any) -> Any:
        raise NotSupportedError("a compressed object has no presigned URL")


class CompressingBucket(_Compressing, BucketWrapper):
    """Compresses every body."""

    def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        return decompressed(super().get(key, max_bytes=max_bytes + LARGEST_EXPANSION), max_bytes, first)

    def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        found = super().get_version(key, version_id, max_bytes=max_bytes + LARGEST_EXPANSION)
        return decompressed(found, max_bytes, None)

    def put(self, key: str, body: bytes, **options: Any) -> str:
        return super().put(key, zlib.compress(body), **options)

    def put_stream(
        self, key: str, chunks: Iterator[bytes], *, size: int | None = None, **options: Any
    ) -> None:
        super().put_stream(key, self._compressed(chunks), **options)

    def get_stream(self, key: str) -> ObjectStream | None:
        stream = super().get_stream(key)
        return ObjectStream(stream.info, self._decompressed(stream.chunks)) if stream else None

    def _compressed(self, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
        compressor = zlib.compressobj()
        for chunk in chunks:
            yield compressor.compress(chunk)
        yield compressor.flush()

    def _decompressed(self, chunks: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
        decompressor = zlib.decompressobj()
        try:
            for chunk in chunks:
                yield decompressor.decompress(chunk)
            yield decompressor.flush()
        finally:
            chunks.close()


class AsyncCompressingBucket(_Compressing, AsyncBucketWrapper):
    """Compresses every body."""

    async def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        return decompressed(await super().get(key, max_bytes=max_bytes + LARGEST_EXPANSION), max_bytes, first)

    async def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        found = await super().get_version(key, version_id, max_bytes=max_bytes + LARGEST_EXPANSION)
        return decompressed(found, max_bytes, None)

    async def put(self, key: str, body: bytes, **options: Any) -> str:
        return await super().put(key, zlib.compress(body), **options)

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, size: int | None = None, **options: Any
    ) -> None:
        await super().put_stream(key, self._compressed(chunks), **options)

    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        stream = await super().get_stream(key)
        return AsyncObjectStream(stream.info, self._decompressed(stream.chunks)) if stream else None

    async def _compressed(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        compressor = zlib.compressobj()
        async for chunk in chunks:
            yield compressor.compress(chunk)
        yield compressor.flush()

    async def _decompressed(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        decompressor = zlib.decompressobj()
        try:
            async for chunk in chunks:
                yield decompressor.decompress(chunk)
            yield decompressor.flush()
        finally:
            await chunks.aclose()


class CountingBucket(BucketWrapper):
    """Counts the requests of each operation."""

    def __init__(self, inner: Bucket) -> None:
        super().__init__(inner)
        self.counts: Counter[str] = Counter()

    def request(self, call: BucketCall, send: Callable[[], T]) -> T:
        self.counts[call.operation] += 1
        return send()


class AsyncCountingBucket(AsyncBucketWrapper):
    """Counts the requests of each operation."""

    def __init__(self, inner: AsyncBucket) -> None:
        super().__init__(inner)
        self.counts: Counter[str] = Counter()

    async def request(self, call: BucketCall, send: Callable[[], Awaitable[T]]) -> T:
        self.counts[call.operation] += 1
        return await send()
