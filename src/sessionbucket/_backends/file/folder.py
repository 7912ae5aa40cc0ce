"""A folder as a bucket: objects in, out, listed and locked."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from sessionbucket._backends.file.entries import BOOKKEEPING, LOCKS, described
from sessionbucket._backends.file.errors import MISSING, translated
from sessionbucket._backends.file.listing import page_of
from sessionbucket._backends.file.locks import lock_name, release_lock, take_lock
from sessionbucket._backends.file.uploads import Temporary, Upload
from sessionbucket._core.file_sources import CHUNK
from sessionbucket._core.objects import (
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
from sessionbucket.errors import (
    BucketNotFoundError,
    DeleteIncompleteError,
    InvalidArgumentError,
    SessionBucketError,
    SessionTooLargeError,
)

# Without O_NONBLOCK the open of a named pipe would wait for its writer.
_READ = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Folder:
    """The objects under one root folder."""

    def __init__(self, root: str | os.PathLike[str], *, fsync: bool = True, create: bool = True) -> None:
        """Make the root (mode 0700) if ``create``; without it, a missing root is an error of the first use."""
        self.root = Path(os.path.realpath(root))
        self.location = self.root.as_uri()
        self._fsync = fsync
        if create:
            with translated(self.location, None):
                self._make_folder(self.root)

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
            file = self._open(self._path(key))
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
            file = self._open(self._path(key))
            if file is None:
                return None
            with file:
                status = os.fstat(file.fileno())
                return described(key, status, _version_in(file, status.st_size))

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
        with translated(self.location, prefix):
            return page_of(self._scan, prefix, delimiter=delimiter, start_after=start_after, limit=limit)

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
            file = self._open(self._path(key))
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

    def _open(self, path: Path) -> BufferedReader | None:
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
        temporary = path.with_name(f".{uuid4().hex}.tmp")
        while True:
            try:
                handle = os.open(temporary, _CREATE, 0o600)
            except FileNotFoundError:  # the key is the folder's first, or a delete has just pruned it
                self._require_root()
                with suppress(FileNotFoundError):
                    self._make_folder(path.parent)
            else:
                return Temporary(temporary, os.fdopen(handle, "wb"))

    def commit(self, temporary: Temporary, key: str, condition: Condition) -> None:
        """Put the temporary file in the key's place, if the condition holds."""
        path = self._path(key)
        temporary.file.flush()
        if self._fsync:
            os.fsync(temporary.file.fileno())
        temporary.file.close()
        with self._lock(key):
            if not self._holds(condition, path):
                raise PreconditionFailedError(key, location=self.location)
            temporary.put_at(path)
            self._sync_folder(path.parent)

    def _holds(self, condition: Condition, path: Path) -> bool:
        if isinstance(condition, Anything):
            return True
        file = self._open(path)
        if file is None:
            return holds(condition, None)
        with file:
            return holds(condition, _version_in(file, os.fstat(file.fileno()).st_size))

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        """Keep every other writer of this key out, in any process, until the block ends or the process does."""
        path = self._path(f"{BOOKKEEPING}/{LOCKS}/{lock_name(key)}")
        try:
            lock = take_lock(path, location=self.location, key=key)
        except FileNotFoundError:
            self._require_root()
            self._make_folder(path.parent)
            lock = take_lock(path, location=self.location, key=key)
        try:
            yield
        finally:
            release_lock(lock)

    @contextmanager
    def _scan(self, base: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        """The entries of a folder, none where it is missing or a link."""
        path = self._path(base[:-1]) if base else self.root
        try:
            if path.is_symlink() and path != self.root:
                raise NotADirectoryError  # noqa: TRY301 (as what lies there is)
            entries = os.scandir(path)
        except (FileNotFoundError, NotADirectoryError):
            self._require_root()
            yield iter(())
            return
        with entries:
            yield entries


def _version_in(file: BufferedReader, size: int) -> str:
    if size <= CHUNK:
        return version_of(file.read())
    return quoted_md5(hashlib.file_digest(file, _md5))


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
