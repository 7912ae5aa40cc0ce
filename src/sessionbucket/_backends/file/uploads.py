"""Bodies on their way into a folder."""

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
    """A file being written beside its later place. Its name is never listed."""

    path: Path
    file: BinaryIO
    _placed: bool = False

    def put_at(self, path: Path) -> None:
        """Give the file, which has been closed, its place in one step."""
        self.path.replace(path)
        self._placed = True

    def discard(self) -> None:
        """Close and remove it, unless it was given its place."""
        if self._placed:
            return
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


class Uploading(Protocol):
    """What an upload needs of its folder."""

    @property
    def location(self) -> str: ...

    def create_temporary(self, key: str) -> Temporary: ...

    def commit(self, temporary: Temporary, key: str, condition: Condition) -> None: ...


class Upload:
    """A body that is being written in chunks.

    The async bucket leaves a thread to itself when its task is cancelled, so a ``discard`` waits for the step that is
    under way, and no step does anything after it.
    """

    def __init__(self, folder: Uploading, key: str) -> None:
        self._folder = folder
        self._key = key
        self._temporary: Temporary | None = None
        self._over = False
        self._lock = Lock()

    def write(self, chunk: bytes) -> None:
        with self._lock, translated(self._folder.location, self._key):
            if not self._over:
                self._begun().file.write(chunk)

    def commit(self, condition: Condition) -> None:
        with self._lock, translated(self._folder.location, self._key):
            if not self._over:
                self._folder.commit(self._begun(), self._key, condition)

    def discard(self) -> None:
        with self._lock:
            self._over = True
            if self._temporary is not None:
                self._temporary.discard()

    def _begun(self) -> Temporary:
        if self._temporary is None:
            self._temporary = self._folder.create_temporary(self._key)
        return self._temporary
