"""A folder as a bucket: objects in, out, listed and locked."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from sessionbucket._backends.file.errors import MISSING, translated
from sessionbucket._backends.file.listing import BOOKKEEPING, LOCKS, TEMPORARY, described, is_utf8, page_of
from sessionbucket._backends.file.locks import lock_name, release_lock, take_lock
from sessionbucket._backends.file.uploads import Upload
from sessionbucket._core.file_sources import CHUNK
from sessionbucket._core.objects import (
    Always,
    Condition,
    IfMatch,
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
    StoreUnavailableError,
)

# Without O_NONBLOCK the open of a named pipe would wait for its writer.
_READ = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_OURS = re.compile(r"[0-9a-f]{32}\.tmp")
_OF_A3S_CODE = re.compile(r"[^/]+\.json\.\d+\.\d+\.tmp", re.ASCII)


class Folder:
    """The objects under one root folder."""

    def __init__(self, root: str | os.PathLike[str], *, fsync: bool = True, create: bool = True) -> None:
        """Create the root (mode 0700) if ``create`` is set. Otherwise the first use of a missing root raises."""
        try:
            self.root = Path(os.path.realpath(os.fsdecode(root)))
        except (TypeError, ValueError) as error:  # of another type, or with a NUL
            raise InvalidArgumentError(
                f"root is refused: it must be the path of a folder ({error})"
            ) from None
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

    def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        """The object. With ``first``, the first bytes alone are read, so that the version stays unknown."""
        with translated(self.location, key):
            file = self._open(self._path(key))
            if file is None:
                return None
            with file:
                status = os.fstat(file.fileno())
                if (size := min(status.st_size, first or status.st_size)) > max_bytes:
                    raise ObjectTooLargeError(key, size=size, limit=max_bytes)
                body = file.read(first)
        return StoredObject(described(key, status, None if first else md5_version(body)), body)

    def exists(self, key: str) -> bool:
        with translated(self.location, key):
            try:
                status = self._path(key).lstat()
            except OSError as error:
                if error.errno not in MISSING:
                    raise
                self._require_root()
                return False
            if stat.S_ISLNK(status.st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            return stat.S_ISREG(status.st_mode)

    def head(self, key: str) -> ObjectInfo | None:
        with translated(self.location, key):
            file = self._open(self._path(key))
            if file is None:
                return None
            with file:
                status = os.fstat(file.fileno())
                return described(key, status, _version_in(file, status.st_size))

    def put(self, key: str, body: bytes, *, condition: Condition) -> str:
        with self.begin(key) as upload:
            upload.write(body)
            upload.commit(condition)
        return md5_version(body)

    def copy(self, source: str, target: str) -> bool:
        """Copy a file, in chunks. Return whether the source exists."""
        with translated(self.location, source):
            file = self._open(self._path(source))
        if file is None:
            return False
        with file, self.begin(target) as upload:
            with translated(self.location, source):
                while chunk := file.read(CHUNK):
                    upload.write(chunk)
            upload.commit(Always())
        return True

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

    def delete_if(self, key: str, version: str) -> None:
        with translated(self.location, key):
            self._unlink(key, IfMatch(version))

    def list_page(self, prefix: str, *, delimiter: str, start_after: str, limit: int) -> ObjectPage:
        if delimiter not in ("", "/"):
            raise InvalidArgumentError(f"delimiter {delimiter!r} is refused: a folder lists by '/' or by ''")
        with translated(self.location, prefix):
            return page_of(self._scan, prefix, delimiter=delimiter, start_after=start_after, limit=limit)

    def temporary_objects(self, prefix: str) -> list[ObjectInfo]:
        """Temporary files under the prefix: this library's for the root, and those that a3s-code leaves beside its sessions."""
        found: list[ObjectInfo] = []
        with translated(self.location, prefix):
            for folder, pattern in ((f"{BOOKKEEPING}/{TEMPORARY}/", _OURS), (prefix, _OF_A3S_CODE)):
                if folder.startswith(prefix):
                    with self._scan(folder) as entries:
                        names = sorted(
                            entry.name for entry in entries if entry.is_file(follow_symlinks=False)
                        )
                    for name in filter(pattern.fullmatch, names):
                        if not is_utf8(name):
                            continue  # no key of a bucket, so no object of this store
                        with suppress(FileNotFoundError):  # the write has ended meanwhile
                            found.append(described(folder + name, (self.root / folder / name).lstat(), None))
        return found

    def begin(self, key: str) -> Upload:
        """A body that arrives in chunks. Readers see nothing of it before ``Upload.commit``."""
        return Upload(self, key, fsync=self._fsync)

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

    def _unlink(self, key: str, condition: Condition = Always()) -> None:  # noqa: B008 (frozen)
        path = self._path(key)
        with self._lock(key):
            if not self._holds(condition, path):
                if not path.exists():
                    return
                raise PreconditionFailedError(key, location=self.location)
            try:
                folder = self._open_folder(path.parent)
                try:
                    path.unlink()
                    self._sync(folder, "delete", key)
                finally:
                    _close(folder)
            except OSError as error:
                if error.errno not in MISSING:
                    raise
                self._require_root()
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
            if self._fsync and os.name != "nt":
                parent = os.open(each.parent, os.O_RDONLY)
                try:
                    os.fsync(parent)
                finally:
                    os.close(parent)

    def _open_folder(self, folder: Path) -> int | None:
        """A descriptor for ``_sync``. It is opened before a change, so that a failure here changes nothing."""
        return os.open(folder, os.O_RDONLY) if self._fsync and os.name != "nt" else None

    def _sync(self, folder: int | None, change: str, key: str) -> None:
        """Make a change in the folder survive a power cut.

        Raises ``StoreUnavailableError`` with the outcome ``"unknown"``: the change was done, but is not known to be durable.
        """
        if folder is None:
            return
        try:
            os.fsync(folder)
        except OSError as error:
            reason = f"{error.strerror}: the {change} was done, but may not survive a power cut"
            raise StoreUnavailableError(reason, location=self.location, key=key, outcome="unknown") from error

    def make_temporary_folder(self, key: str) -> Path:
        """The folder of temporary files, created when it is missing. No key is in it. Raises for a bad key."""
        self._path(key)
        folder = self._path(f"{BOOKKEEPING}/{TEMPORARY}/x").parent
        if not folder.is_dir():
            self._require_root()
            self._make_folder(folder)
        return folder

    def move(self, temporary: Path, key: str, condition: Condition) -> None:
        """Move a temporary file to the place of the key, if the condition holds."""
        path = self._path(key)
        with self._lock(key):
            if not self._holds(condition, path):
                raise PreconditionFailedError(key, location=self.location, is_missing=not path.exists())
            while True:
                try:
                    folder = self._open_folder(path.parent)
                    try:
                        temporary.replace(path)
                        self._sync(folder, "write", key)
                    finally:
                        _close(folder)
                except (
                    FileNotFoundError
                ):  # the key is the first of its folder, or a delete has just removed the folder
                    if not temporary.exists():
                        raise
                    self._require_root()
                    with suppress(FileNotFoundError):
                        self._make_folder(path.parent)
                else:
                    return

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


def _close(folder: int | None) -> None:
    if folder is not None:
        with suppress(OSError):
            os.close(folder)


def _version_in(file: BufferedReader, size: int) -> str:
    if size <= CHUNK:
        return md5_version(file.read())
    return version_of_md5(hashlib.file_digest(file, _md5))


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
