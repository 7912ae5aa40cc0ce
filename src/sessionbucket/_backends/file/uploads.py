"""Bodies that are being written into a folder."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Protocol

from sessionbucket._backends.file.errors import translated
from sessionbucket._core.objects import Condition


@dataclass(slots=True)
class Temporary:
    """A temporary file, which becomes an object by a rename. It is never listed."""

    path: Path
    file: BinaryIO
    _moved: bool = False

    def move_to(self, path: Path) -> None:
        """Rename the closed file in one atomic step."""
        self.path.replace(path)
        self._moved = True

    def discard(self) -> None:
        """Close and remove the file, unless it was moved."""
        if self._moved:
            return
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


class UploadFolder(Protocol):
    """The methods of a folder that an upload calls."""

    @property
    def location(self) -> str: ...

    def create_temporary(self, key: str) -> Temporary: ...

    def commit(self, temporary: Temporary, key: str, condition: Condition) -> None: ...


class Upload:
    """A body that is written in chunks.

    The thread of a cancelled task of the async bucket goes on. So ``discard`` waits for the running step, and no step has any
    effect after it.
    """

    def __init__(self, folder: UploadFolder, key: str) -> None:
        self._folder = folder
        self._key = key
        self._temporary: Temporary | None = None
        self._is_discarded = False
        self._lock = Lock()

    def write(self, chunk: bytes) -> None:
        with self._lock, translated(self._folder.location, self._key):
            if not self._is_discarded:
                self._begun().file.write(chunk)

    def commit(self, condition: Condition) -> None:
        with self._lock, translated(self._folder.location, self._key):
            if not self._is_discarded:
                self._folder.commit(self._begun(), self._key, condition)

    def discard(self) -> None:
        with self._lock:
            self._is_discarded = True
            if self._temporary is not None:
                self._temporary.discard()

    def _begun(self) -> Temporary:
        if self._temporary is None:
            self._temporary = self._folder.create_temporary(self._key)
        return self._temporary
