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

from sessionbucket._backends.file.errors import MISSING, translated
from sessionbucket._backends.file.listing import BOOKKEEPING, LOCKS, described, page_of
from sessionbucket._backends.file.locks import lock_name, release_lock, take_lock
from sessionbucket._backends.file.uploads import Temporary, Upload
from sessionbucket._core.file_sources import CHUNK
from sessionbucket._core.objects import (
    Always,
    Condition,
    ObjectInfo,
    ObjectPage,
    StoredObject,
    md5_version,
    version_of_md5,
)
from sessionbucket.errors import (
    BucketNotFoundError,
    DeleteIncompleteError,
    InvalidArgumentError,
    ObjectTooLargeError,
    PreconditionFailedError,
    SessionBucketError,
)

# Without O_NONBLOCK the open of a named pipe would wait for its writer.
_READ = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Folder:
    """The objects under one root folder."""

    def __init__(self, root: str | os.PathLike[str], *, fsync: bool = True, create: bool = True) -> None:
        """Create the root (mode 0700) if ``create`` is set. Otherwise the first use of a missing root raises."""
        self.root = Path(os.path.realpath(root))
        self.location = self.root.as_uri()
        self._fsync = fsync
        if create:
            with translated(self.location, None):
                self._make_folder(self.root)

    @property
    def distinguishes_case(self) -> bool:
        """Whether the file system distinguishes names that differ only in case. The folder of the locks shows that."""
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
                    raise ObjectTooLargeError(key, size=status.st_size, limit=max_bytes)
                body = file.read()
        return StoredObject(described(key, status, md5_version(body)), body)

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
        return md5_version(body)

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

    def temporary_objects(self, prefix: str) -> list[ObjectInfo]:
        """Temporary files under the prefix, of this library and of a3s-code."""
        with translated(self.location, prefix):
            top = self._path(prefix.rstrip("/")) if prefix else self.root
            return [
                described(path.relative_to(self.root).as_posix(), path.lstat(), None)
                for path in sorted(top.rglob("*.tmp"))
                if path.is_file() and not path.is_symlink()
            ]

    def begin(self, key: str) -> Upload:
        """Start a body that arrives in chunks. Readers see nothing of it before ``Upload.commit``."""
        with translated(self.location, key):
            self._path(key)
        return Upload(self, key)

    def open(self, key: str) -> tuple[ObjectInfo, BinaryIO] | None:
        """The description of an object and an open file of the same version."""
        with translated(self.location, key):
            file = self._open(self._path(key))
            if file is None:
                return None
            status = os.fstat(file.fileno())
            return described(key, status, None), file

    def _path(self, key: str) -> Path:
        """The path of a key. It follows no link below the root, and never leaves the root."""
        segments = key.split("/")
        if "\0" in key or any(segment in ("", ".", "..") for segment in segments):
            raise InvalidArgumentError(f"key {key!r} is refused: its segments may not be empty, '.' or '..'")
        folder = self.root
        for segment in segments[:-1]:
            folder /= segment
            if folder.is_symlink():
                raise OSError(errno.ELOOP, "a link in the place of a folder", str(folder))
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
        """Remove empty folders, since a bucket has none."""
        while folder != self.root:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _make_folder(self, folder: Path) -> None:
        """Create a folder and its parents, each with mode 0700."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            try:
                each.mkdir(mode=0o700)
            except FileExistsError:
                # A delete of another thread may remove the folder at any time, so its status is read once.
                with suppress(FileNotFoundError):
                    if not stat.S_ISDIR(each.stat().st_mode):
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
        """A new file beside that of the key, which no listing shows."""
        path = self._path(key)
        temporary = path.with_name(f".{uuid4().hex}.tmp")
        while True:
            try:
                handle = os.open(temporary, _CREATE, 0o600)
            except (
                FileNotFoundError
            ):  # the key is the first of its folder, or a delete has just removed the folder
                self._require_root()
                with suppress(FileNotFoundError):
                    self._make_folder(path.parent)
            else:
                return Temporary(temporary, os.fdopen(handle, "wb"))

    def commit(self, temporary: Temporary, key: str, condition: Condition) -> None:
        """Move the temporary file to the place of the key, if the condition holds."""
        path = self._path(key)
        temporary.file.flush()
        if self._fsync:
            os.fsync(temporary.file.fileno())
        temporary.file.close()
        with self._lock(key):
            if not self._holds(condition, path):
                raise PreconditionFailedError(key, location=self.location)
            temporary.move_to(path)
            self._sync_folder(path.parent)

    def _holds(self, condition: Condition, path: Path) -> bool:
        if isinstance(condition, Always):
            return True
        file = self._open(path)
        if file is None:
            return condition.holds(None)
        with file:
            return condition.holds(_version_in(file, os.fstat(file.fileno()).st_size))

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        """Exclude every other writer of this key, in any process, until the block or the process ends."""
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
        """The entries of a folder; none when it is missing or a link."""
        path = self._path(base[:-1]) if base else self.root
        try:
            if path.is_symlink() and path != self.root:
                raise NotADirectoryError  # noqa: TRY301 (handled like a file in this place)
            entries = os.scandir(path)
        except (FileNotFoundError, NotADirectoryError):
            self._require_root()
            yield iter(())
            return
        with entries:
            yield entries


def _version_in(file: BufferedReader, size: int) -> str:
    if size <= CHUNK:
        return md5_version(file.read())
    return version_of_md5(hashlib.file_digest(file, _md5))


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
