"""The files of sessions: one object each, streamed in and out."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator
from datetime import timedelta
from types import TracebackType
from typing import Self

from sessionbucket._async.bucket import AsyncBucket, AsyncObjectStream
from sessionbucket._async.bucket_listing import list_objects
from sessionbucket._async.v1_snapshots import AsyncV1Snapshots
from sessionbucket._concurrency.asyncio_ import FileSource, chunks_of
from sessionbucket._core.arguments import check_expiry, check_integer
from sessionbucket._core.file_sources import known_size
from sessionbucket._core.headers import check_headers
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import NO_METADATA
from sessionbucket._core.results import FileInfo
from sessionbucket.errors import FileNotInStoreError, StoreUnavailableError


class AsyncSessionFiles:
    """Stores, reads, lists and deletes files of sessions."""

    def __init__(self, bucket: AsyncBucket, keys: StoreKeys, v1: AsyncV1Snapshots) -> None:
        self._bucket = bucket
        self._keys = keys
        self._v1 = v1

    async def put(self, id: str, name: str, data: FileSource, content_type: str | None) -> None:
        key = self._keys.of_session(id).file(name)
        if content_type is not None:
            check_headers(content_type, NO_METADATA)
        await self._v1.check_writable()
        guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        await self._bucket.put_stream(
            key, chunks_of(data), size=known_size(data), content_type=content_type or guessed
        )

    async def open(self, id: str, name: str) -> AsyncFileReader:
        stream = await self._bucket.get_stream(self._keys.of_session(id).file(name))
        if stream is None:
            raise FileNotInStoreError(id, name, self._bucket.location)
        return AsyncFileReader(name, stream, location=self._bucket.location)

    async def list(self, id: str) -> list[FileInfo]:
        keys = self._keys.of_session(id)
        return [
            FileInfo(keys.file_name(info.key), info.size, info.updated_at, info.version)
            for info in await list_objects(self._bucket, keys.files)
        ]

    async def delete(self, id: str, name: str) -> None:
        key = self._keys.of_session(id).file(name)
        await self._v1.check_writable()
        # A versioned bucket would make a delete marker even for a file that does not exist.
        if await self._bucket.exists(key):
            await self._bucket.delete([key])

    async def presign(self, id: str, name: str, expires_in: timedelta) -> str:
        key = self._keys.of_session(id).file(name)
        check_expiry(expires_in)
        return await self._bucket.presign(key, expires_in=expires_in, filename=name)


class AsyncFileReader:
    """A file of a session, read in chunks: a context manager, an iterator of ``bytes``, and ``read(n)``.

    ``name``, ``size`` (bytes) and ``content_type`` are known at once. All bytes are of one version, even if the
    file is replaced meanwhile. Close the reader, or leave its context, to release its connection or file handle.
    """

    def __init__(self, name: str, stream: AsyncObjectStream, *, location: str) -> None:
        self.name = name
        self._location = location
        self._key = stream.info.key
        self.size = stream.info.size
        self.content_type = stream.info.content_type
        self._chunks = stream.chunks
        self._rest = b""
        self._left = stream.info.size
        self._is_broken = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.size} bytes, {self.content_type}>"

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes: fewer only at the end, and ``b""`` after it. All the rest for a negative ``n``.

        Raises ``StoreUnavailableError`` when the file ends too early, and after an earlier read that failed or was cancelled.
        """
        check_integer("n", n)
        parts = [self._rest]
        length = len(self._rest)
        while n < 0 or length < n:
            chunk = await self._next_chunk()
            if not chunk:
                break
            parts.append(chunk)
            length += len(chunk)
        data = b"".join(parts)
        cut = length if n < 0 else n
        self._rest = data[cut:]
        return data[:cut]

    async def _next_chunk(self) -> bytes:
        if self._is_broken:
            raise self._error("an earlier read failed; open the file again")
        self._is_broken = True
        chunk = await anext(self._chunks, b"")
        self._is_broken = False
        self._left -= len(chunk)
        if not chunk and self._left > 0:
            self._is_broken = True
            raise self._error(f"the file ended {self._left:,} bytes too early; open it again")
        return chunk

    def _error(self, reason: str) -> StoreUnavailableError:
        return StoreUnavailableError(reason, location=self._location, key=self._key)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._rest:
            rest, self._rest = self._rest, b""
            yield rest
        while chunk := await self._next_chunk():
            yield chunk

    async def close(self) -> None:
        """Release the connection or file handle. Reads after it return nothing."""
        self._rest = b""
        self._left = 0
        self._is_broken = False
        await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
