"""The files of sessions: one object each, streamed in and out."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator
from datetime import timedelta
from types import TracebackType
from typing import Self

from sessionbucket._async.bucket import AsyncBucket, AsyncObjectStream
from sessionbucket._async.bucket_listing import list_objects
from sessionbucket._concurrency.asyncio_ import FileSource, chunks_of
from sessionbucket._core.file_sources import known_size
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.results import FileInfo
from sessionbucket.errors import FileNotInStoreError, InvalidArgumentError

SHORTEST_EXPIRY = timedelta(seconds=1)
LONGEST_EXPIRY = timedelta(days=7)
"""The limits of Signature Version 4."""


class AsyncSessionFiles:
    """Stores, reads, lists and deletes files of sessions."""

    def __init__(self, bucket: AsyncBucket, keys: StoreKeys) -> None:
        self._bucket = bucket
        self._keys = keys

    async def put(self, id: str, name: str, data: FileSource, content_type: str | None) -> None:
        key = self._keys.of_session(id).file(name)
        guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        await self._bucket.put_stream(
            key, chunks_of(data), size=known_size(data), content_type=content_type or guessed
        )

    async def open(self, id: str, name: str) -> AsyncFileReader:
        stream = await self._bucket.get_stream(self._keys.of_session(id).file(name))
        if stream is None:
            raise FileNotInStoreError(id, name, self._bucket.location)
        return AsyncFileReader(name, stream)

    async def list(self, id: str) -> list[FileInfo]:
        keys = self._keys.of_session(id)
        return [
            FileInfo(keys.file_name(info.key), info.size, info.updated_at, info.version)
            for info in await list_objects(self._bucket, keys.files)
        ]

    async def delete(self, id: str, name: str) -> None:
        await self._bucket.delete([self._keys.of_session(id).file(name)])

    async def presign(self, id: str, name: str, expires_in: timedelta) -> str:
        key = self._keys.of_session(id).file(name)
        if not isinstance(expires_in, timedelta) or not SHORTEST_EXPIRY <= expires_in <= LONGEST_EXPIRY:
            raise InvalidArgumentError(
                f"expires_in {expires_in!r} is refused: it must be a timedelta of 1 second to 7 days, "
                "timedelta(hours=1) for instance"
            )
        return await self._bucket.presign(key, expires_in=expires_in, filename=name)


class AsyncFileReader:
    """A file of a session, read in chunks: a context manager, an iterator of ``bytes``, and ``read(n)``.

    ``name``, ``size`` (bytes) and ``content_type`` are known at once. All bytes are of one version, even if the
    file is replaced meanwhile. Close the reader, or leave its context, to release its connection or file handle.
    """

    def __init__(self, name: str, stream: AsyncObjectStream) -> None:
        self.name = name
        self.size = stream.info.size
        self.content_type = stream.info.content_type
        self._chunks = stream.chunks
        self._rest = b""

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes: fewer only at the end, and ``b""`` after it. All the rest for a negative ``n``."""
        parts = [self._rest]
        length = len(self._rest)
        while n < 0 or length < n:
            chunk = await anext(self._chunks, b"")
            if not chunk:
                break
            parts.append(chunk)
            length += len(chunk)
        data = b"".join(parts)
        cut = length if n < 0 else n
        self._rest = data[cut:]
        return data[:cut]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._rest:
            rest, self._rest = self._rest, b""
            yield rest
        async for chunk in self._chunks:
            yield chunk

    async def close(self) -> None:
        """Release the connection or file handle. Reads after it return nothing."""
        self._rest = b""
        await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
