"""A bucket that is a folder."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import BinaryIO

from sessionbucket._backends.file import Folder
from sessionbucket._concurrency.threads import in_thread
from sessionbucket._core.file_sources import CHUNK
from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Anything,
    Condition,
    ObjectInfo,
    ObjectPage,
    StoredObject,
)
from sessionbucket._sync.bucket import Bucket, ObjectStream


class FileBucket(Bucket):
    """A folder that mirrors a bucket key for key, with the bytes a bucket would hold.

    Puts are atomic (a temporary file, fsync, rename, fsync of the folder), and conditions hold between threads,
    tasks and processes, by locks that end with the process that holds them. Other programs that write the same
    folder without these locks are not kept out. Folders are made with mode 0700 and files with 0600; no link
    below the root is followed. Versions are the MD5 of the bytes, as S3 gives them; metadata is not kept, and the
    content type is guessed from the name.
    """

    name = "file"
    page_limit = 1_000_000

    def __init__(self, root: str | os.PathLike[str], *, fsync: bool = True, create: bool = True) -> None:
        """``root`` is made if it is missing, unless ``create`` is off. Without ``fsync`` a power cut can lose
        saves that were already acknowledged; a killed process still cannot.

        Raises ``AccessDeniedError`` or ``StoreUnavailableError`` where the root cannot be made.
        """
        self._folder = Folder(root, fsync=fsync, create=create)

    @property
    def distinguishes_case(self) -> bool:
        return self._folder.distinguishes_case

    @property
    def location(self) -> str:
        return self._folder.location

    def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        return in_thread(self._folder.get, key, max_bytes=max_bytes)

    def head(self, key: str) -> ObjectInfo | None:
        return in_thread(self._folder.head, key)

    def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Anything(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        return in_thread(self._folder.put, key, body, condition=condition)

    def delete(self, keys: Sequence[str]) -> None:
        in_thread(self._folder.delete, keys)

    def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        return in_thread(
            self._folder.list_page, prefix, delimiter=delimiter, start_after=start_after, limit=limit
        )

    def put_stream(
        self,
        key: str,
        chunks: Iterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        upload = in_thread(self._folder.begin, key)
        try:
            for chunk in chunks:
                in_thread(upload.write, chunk)
            in_thread(upload.commit, Anything())
        finally:
            in_thread(upload.discard)

    def get_stream(self, key: str) -> ObjectStream | None:
        found = in_thread(self._folder.open, key)
        if found is None:
            return None
        chunks = _chunks(found[1])
        next(chunks)
        return ObjectStream(found[0], chunks)

    def leftovers(self, prefix: str) -> list[ObjectInfo]:
        return in_thread(self._folder.leftovers, prefix)


def _chunks(file: BinaryIO) -> Generator[bytes, None, None]:
    with file:
        yield b""  # for whoever made this generator: one that was not begun would not close the file
        while chunk := in_thread(file.read, CHUNK):
            yield chunk
