"""Bodies that are being written into a folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self
from uuid import uuid4

from sessionbucket._backends.file.errors import translated
from sessionbucket._core.objects import Condition

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class UploadFolder(Protocol):
    """The methods of a folder that an upload calls."""

    @property
    def location(self) -> str: ...

    def make_temporary_folder(self, key: str) -> Path: ...

    def move(self, temporary: Path, key: str, condition: Condition) -> None: ...


class Upload:
    """A body that is written in chunks to a temporary file, which becomes the object by a rename.

    Use it in a ``with`` statement: at its end, a temporary file that was not renamed is removed. Otherwise ``open`` comes first,
    and ``close`` last, also when ``open`` failed.
    """

    def __init__(self, folder: UploadFolder, key: str, *, fsync: bool) -> None:
        self._folder = folder
        self._key = key
        self._fsync = fsync
        self._name = f"{uuid4().hex}.tmp"
        self._is_open = False

    def open(self) -> None:
        """Create the temporary file."""
        with translated(self._folder.location, self._key):
            self._path = self._folder.make_temporary_folder(self._key) / self._name
            self._file: BinaryIO = os.fdopen(os.open(self._path, _CREATE, 0o600), "wb")
            self._is_open = True

    def write(self, chunk: bytes) -> None:
        with translated(self._folder.location, self._key):
            self._file.write(chunk)

    def commit(self, condition: Condition) -> None:
        """Make the body the object at the key, if the condition holds. Readers see nothing of it before."""
        with translated(self._folder.location, self._key):
            self._file.flush()
            if self._fsync:
                os.fsync(self._file.fileno())
            self._file.close()
            self._folder.move(self._path, self._key, condition)

    def close(self) -> None:
        """Close and remove the temporary file, unless it became the object."""
        if self._is_open:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
