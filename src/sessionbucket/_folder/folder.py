"""A folder as a bucket: objects in, out, listed and locked."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from filelock import FileLock, Timeout

from sessionbucket._folder.entries import BOOKKEEPING, LOCKS, described, is_listed
from sessionbucket._folder.errors import MISSING, translated
from sessionbucket._folder.uploads import Temporary, Upload
from sessionbucket.errors import (
    BucketNotFoundError,
    DeleteIncompleteError,
    InvalidArgumentError,
    SessionBucketError,
    SessionTooLargeError,
    StoreUnavailableError,
)
from sessionbucket.objects import (
    Anything,
    Condition,
    ObjectInfo,
    ObjectPage,
    PreconditionFailedError,
    StoredObject,
    holds,
    quoted_md5,
    version_of,
)

CHUNK = 1 << 20
_LOCK_STRIPES = 64
_LOCK_TIMEOUT = 20.0
_LOCK_POLL = 0.002
# Without O_NONBLOCK the open of a named pipe would wait for its writer.
_READ = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


class Folder:
    """The objects under one root folder."""

    def __init__(self, root: str | os.PathLike[str], *, fsync: bool = True, create: bool = True) -> None:
        """Make the root (mode 0700) if ``create``; without it, a missing root is an error of the first use."""
        self.root = Path(os.path.realpath(root))
        self._fsync = fsync
        if create:
            with translated(self.location, None):
                self._make_folder(self.root)

    @property
    def location(self) -> str:
        return self.root.as_uri()

    @property
    def distinguishes_case(self) -> bool:
        """Whether the file system keeps names apart that differ only in case; seen at the folder of the locks."""
        bookkeeping = self.root / BOOKKEEPING
        other = self.root / BOOKKEEPING.upper()
        try:
            return not other.samefile(bookkeeping)
        except OSError:
            return True

    def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        with translated(self.location, key):
            file = self._open(key)
            if file is None:
                return None
            with file:
                status = os.fstat(file.fileno())
                if status.st_size > max_bytes:
                    raise SessionTooLargeError(key, size=status.st_size, limit=max_bytes)
                body = file.read()
        return StoredObject(described(key, status, version_of(body)), body)

    def head(self, key: str) -> ObjectInfo | None:
        with translated(self.location, key):
            file = self._open(key)
            if file is None:
                return None
            with file:
                version = quoted_md5(hashlib.file_digest(file, _md5))
                return described(key, os.fstat(file.fileno()), version)

    def put(self, key: str, body: bytes, *, condition: Condition) -> str:
        with translated(self.location, key):
            temporary = self.create_temporary(key)
            try:
                temporary.file.write(body)
                self.commit(temporary, key, condition)
            finally:
                temporary.discard()
        return version_of(body)

    def delete(self, keys: Sequence[str]) -> None:
        left: list[str] = []
        reason = ""
        for key in keys:
            try:
                with translated(self.location, key):
                    self._unlink(key)
            except SessionBucketError as error:
                left.append(key)
                reason = str(error)
        if left:
            raise DeleteIncompleteError(left, location=self.location, reason=reason)

    def list_page(self, prefix: str, *, delimiter: str, start_after: str, limit: int) -> ObjectPage:
        if delimiter not in ("", "/"):
            raise InvalidArgumentError(f"delimiter {delimiter!r} is refused: a folder lists by '/' or by ''")
        page = ObjectPage([], [], None)
        last = ""
        with translated(self.location, prefix):
            for key, entry in self._rows(prefix, start_after.encode(), recursive=not delimiter):
                if len(page.objects) + len(page.folders) == limit:
                    return ObjectPage(page.objects, page.folders, last)
                if entry is None:
                    page.folders.append(key)
                else:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    page.objects.append(described(key, status, None))
                last = key
        return page

    def leftovers(self, prefix: str) -> list[ObjectInfo]:
        """Temporary files under the prefix, this package's and a3s-code's."""
        with translated(self.location, prefix):
            top = self._path(prefix.rstrip("/")) if prefix else self.root
            return [
                described(path.relative_to(self.root).as_posix(), path.lstat(), None)
                for path in sorted(top.rglob("*.tmp"))
                if path.is_file() and not path.is_symlink()
            ]

    def begin(self, key: str) -> Upload:
        """Start a body that comes in chunks; nothing is seen under the key before ``Upload.commit``."""
        with translated(self.location, key):
            self._path(key)
        return Upload(self, key)

    def open(self, key: str) -> tuple[ObjectInfo, BinaryIO] | None:
        """The object's description and an open file of that same version."""
        with translated(self.location, key):
            file = self._open(key)
            if file is None:
                return None
            status = os.fstat(file.fileno())
            return described(key, status, None), file

    def _path(self, key: str) -> Path:
        """Where the key's file lies. No link is followed below the root, and nothing outside it is reached."""
        segments = key.split("/")
        if "\0" in key or any(segment in ("", ".", "..") for segment in segments):
            raise InvalidArgumentError(f"key {key!r} is refused: its segments may not be empty, '.' or '..'")
        folder = self.root
        for segment in segments[:-1]:
            folder /= segment
            if folder.is_symlink():
                raise OSError(errno.ELOOP, "a link where a folder should be", str(folder))
        return folder / segments[-1]

    def _open(self, key: str) -> BufferedReader | None:
        path = self._path(key)
        try:
            handle = os.open(path, _READ)
        except OSError as error:
            if error.errno not in MISSING:
                raise
            self._require_root()
            return None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            return None
        return os.fdopen(handle, "rb")

    def _require_root(self) -> None:
        if not self.root.is_dir():
            raise BucketNotFoundError("the folder does not exist; create it first", location=self.location)

    def _unlink(self, key: str) -> None:
        path = self._path(key)
        with self._lock(key):
            try:
                path.unlink()
            except OSError as error:
                if error.errno not in MISSING:
                    raise
                self._require_root()
            else:
                self._sync_folder(path.parent)
        self._prune(path.parent)

    def _prune(self, folder: Path) -> None:
        """Remove folders that have become empty, since a bucket has none."""
        while folder != self.root:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _make_folder(self, folder: Path) -> None:
        """Make a folder and its parents, each 0700."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            try:
                each.mkdir(mode=0o700)
            except FileExistsError:
                if os.path.lexists(each) and not each.is_dir():
                    raise
            self._sync_folder(each.parent)

    def _sync_folder(self, folder: Path) -> None:
        """Make a rename, a new file or a removal in the folder survive a power cut."""
        if not self._fsync or os.name == "nt":
            return
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def create_temporary(self, key: str) -> Temporary:
        """A new file beside the key's, which no listing shows."""
        path = self._path(key)
        while True:
            self._require_root()
            temporary = path.parent / f".{uuid4().hex}.tmp"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            try:
                self._make_folder(path.parent)
                handle = os.open(temporary, flags, 0o600)
            except FileNotFoundError:
                continue  # a delete has just pruned the folder, or one above it
            return Temporary(temporary, os.fdopen(handle, "wb"))

    def commit(self, temporary: Temporary, key: str, condition: Condition) -> None:
        """Put the temporary file in the key's place, if the condition holds."""
        path = self._path(key)
        temporary.file.flush()
        if self._fsync:
            os.fsync(temporary.file.fileno())
        temporary.file.close()
        with self._lock(key):
            if not self._holds(condition, key):
                raise PreconditionFailedError(key, location=self.location)
            temporary.path.replace(path)
            self._sync_folder(path.parent)

    def _holds(self, condition: Condition, key: str) -> bool:
        if isinstance(condition, Anything):
            return True
        found = self.head(key)
        return holds(condition, found.version if found else None)

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        """Keep every other writer of this key out, in any process, until the block ends or the process does."""
        self._require_root()
        stripe = zlib.crc32(key.encode()) % _LOCK_STRIPES
        path = self._path(f"{BOOKKEEPING}/{LOCKS}/{stripe:02d}.lock")
        self._make_folder(path.parent)
        lock = FileLock(path, timeout=_LOCK_TIMEOUT, mode=0o600, thread_local=False)
        try:
            lock.acquire(poll_interval=_LOCK_POLL)
        except Timeout:
            raise StoreUnavailableError(
                f"another writer has held the lock {path.name} for {_LOCK_TIMEOUT:.0f} s; try again",
                location=self.location,
                key=key,
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _rows(
        self, prefix: str, after: bytes, *, recursive: bool
    ) -> Iterator[tuple[str, os.DirEntry[str] | None]]:
        """Keys with their entries, and folders with None, in the order of their UTF-8 bytes."""
        folder, _, start = prefix.rpartition("/")
        base = f"{folder}/" if folder else ""
        try:
            path = self._path(folder) if folder else self.root
            if path.is_symlink() and path != self.root:
                return
            with os.scandir(path) as entries:
                found = [
                    (
                        f"{base}{entry.name}/"
                        if entry.is_dir(follow_symlinks=False)
                        else f"{base}{entry.name}",
                        entry,
                    )
                    for entry in entries
                    if entry.name.startswith(start) and is_listed(base, entry)
                ]
        except (FileNotFoundError, NotADirectoryError):
            self._require_root()
            return
        found.sort(key=lambda row: row[0].encode())
        for key, entry in found:
            is_folder = key.endswith("/")
            if is_folder and recursive:
                if key.encode() + b"\xff" > after:
                    yield from self._rows(key, after, recursive=True)
            elif key.encode() > after:
                yield key, None if is_folder else entry


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
