"""A bucket that is a folder."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import BinaryIO

from sessionbucket._async.bucket import AsyncBucket, AsyncObjectStream
from sessionbucket._backends.file import Folder
from sessionbucket._backends.file.errors import translated
from sessionbucket._concurrency.asyncio_ import in_thread
from sessionbucket._core.arguments import (
    check_copy,
    check_delete_if,
    check_get,
    check_key,
    check_keys,
    check_kind,
    check_listing,
    check_prefix,
    check_put,
    check_put_stream,
)
from sessionbucket._core.file_sources import CHUNK, checked
from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Always,
    Capabilities,
    Condition,
    ObjectInfo,
    ObjectPage,
    StoredObject,
)


class AsyncFileBucket(AsyncBucket):
    """A folder that mirrors a bucket key for key, with the same bytes.

    Puts are atomic (a temporary file, fsync, rename, fsync of the folder). Conditions hold between threads,
    tasks and processes, by locks that end with their process. The locks do not stop other programs that write in the same
    folder. Folders have mode 0700 and files 0600. No link below the root is followed. Versions are the MD5 of the bytes, as
    in S3. A folder keeps no metadata, and the content type is guessed from the name.
    """

    name = "file"
    location: str = ""

    def __init__(self, root: str | os.PathLike[str], *, fsync: bool = True, create: bool = True) -> None:
        """``root`` is created when it is missing, unless ``create`` is off. Without ``fsync``, a power cut can lose
        acknowledged saves; a killed process still cannot.

        Raises ``AccessDeniedError`` or ``StoreUnavailableError`` when the root cannot be created.
        """
        self._folder = Folder(root, fsync=fsync, create=create)
        self.location = self._folder.location

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            conditional_deletes="trusted",
            page_limit=1_000_000,
            distinguishes_case=self._folder.distinguishes_case,
            keeps_metadata=False,
            is_folder=True,
        )

    async def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        check_get(key, max_bytes, first)
        return await in_thread(self._folder.get, key, max_bytes=max_bytes, first=first)

    async def exists(self, key: str) -> bool:
        check_key(key)
        return await in_thread(self._folder.exists, key)

    async def head(self, key: str) -> ObjectInfo | None:
        check_key(key)
        return await in_thread(self._folder.head, key)

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Always(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        check_put(key, body, condition, content_type, metadata)
        return await in_thread(self._folder.put, key, body, condition=condition)

    async def copy(self, source: str, target: str) -> bool:
        check_copy(source, target)
        return await in_thread(self._folder.copy, source, target)

    async def delete(self, keys: Sequence[str]) -> None:
        check_keys(keys)
        await in_thread(self._folder.delete, keys)

    async def delete_if(self, key: str, version: str) -> None:
        check_delete_if(key, version)
        await in_thread(self._folder.delete_if, key, version)

    async def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        check_listing(prefix, delimiter, start_after, limit)
        return await in_thread(
            self._folder.list_page, prefix, delimiter=delimiter, start_after=start_after, limit=limit
        )

    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        check_put_stream(key, size, content_type)
        check_kind("chunks", chunks, AsyncIterator)
        upload = self._folder.begin(key)
        try:
            await in_thread(upload.open)
            async for chunk in chunks:
                await in_thread(upload.write, checked(chunk))
            await in_thread(upload.commit, Always())
        finally:
            await in_thread(upload.close)

    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        check_key(key)
        found = await in_thread(self._folder.open, key)
        if found is None:
            return None
        info, file = found
        chunks = self._read_chunks(key, file)
        await anext(chunks)
        return AsyncObjectStream(info, chunks)

    async def _read_chunks(self, key: str, file: BinaryIO) -> AsyncGenerator[bytes, None]:
        with file, translated(self.location, key):
            yield b""  # get_stream takes this: a generator that has not begun would not close the file
            while chunk := await in_thread(file.read, CHUNK):
                yield chunk

    async def temporary_objects(self, prefix: str) -> list[ObjectInfo]:
        check_prefix(prefix)
        return await in_thread(self._folder.temporary_objects, prefix)
