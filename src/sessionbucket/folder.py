"""The file bucket's work: a folder that mirrors a bucket key for key.

Source of the promises: POSIX ``rename`` is atomic within a file system, and ``flock`` locks end with their process.
The code here is synchronous; the async bucket runs it in threads.
"""

from __future__ import annotations

import errno
import hashlib
import mimetypes
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NoReturn
from uuid import uuid4

from filelock import FileLock, Timeout

from sessionbucket.errors import (
    AccessDeniedError,
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
_BOOKKEEPING = ".sessionbucket"
_LOCKS = "locks"
_LOCK_TIMEOUT = 20.0
_LOCK_POLL = 0.002
# Without O_NONBLOCK the open of a named pipe would wait for its writer.
_READ = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP)


class Folder:
    """The objects under one root folder."""

    def __init__(self, root: str | os.PathLike[str], *, fsync: bool = True, create: bool = True) -> None:
        """Make the root (mode 0700) if ``create``; without it, a missing root is an error of the first use."""
        self.root = Path(os.path.realpath(root))
        self._fsync = fsync
        if create:
            with self._translated(None):
                self._make_folder(self.root)

    @property
    def location(self) -> str:
        return self.root.as_uri()

    @property
    def distinguishes_case(self) -> bool:
        """Whether the file system keeps names apart that differ only in case; seen at the folder of the locks."""
        bookkeeping = self.root / _BOOKKEEPING
        other = self.root / _BOOKKEEPING.upper()
        try:
            return not other.samefile(bookkeeping)
        except OSError:
            return True

    def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        with self._translated(key):
            file = self._open(key)
            if file is None:
                return None
            with file:
                status = os.fstat(file.fileno())
                if status.st_size > max_bytes:
                    raise SessionTooLargeError(key, size=status.st_size, limit=max_bytes)
                body = file.read()
        return StoredObject(_info(key, status, version_of(body)), body)

    def head(self, key: str) -> ObjectInfo | None:
        with self._translated(key):
            file = self._open(key)
            if file is None:
                return None
            with file:
                version = quoted_md5(hashlib.file_digest(file, _md5))
                return _info(key, os.fstat(file.fileno()), version)

    def put(self, key: str, body: bytes, *, condition: Condition) -> str:
        with self._translated(key):
            path = self._path(key)
            with self._temporary(path) as temporary:
                temporary.file.write(body)
                self._commit(temporary, path, key, condition)
        return version_of(body)

    def delete(self, keys: Sequence[str]) -> None:
        left: list[str] = []
        reason = ""
        for key in keys:
            try:
                with self._translated(key):
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
        with self._translated(prefix):
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
                    page.objects.append(_info(key, status, None))
                last = key
        return page

    def leftovers(self, prefix: str) -> list[ObjectInfo]:
        """Temporary files under the prefix, this package's and a3s-code's."""
        with self._translated(prefix):
            top = self._path(prefix.rstrip("/")) if prefix else self.root
            return [
                _info(path.relative_to(self.root).as_posix(), path.lstat(), None)
                for path in sorted(top.rglob("*.tmp"))
                if path.is_file() and not path.is_symlink()
            ]

    def begin(self, key: str) -> Upload:
        """Start a body that comes in chunks; nothing is seen under the key before ``Upload.commit``."""
        with self._translated(key):
            self._path(key)
        return Upload(self, key)

    def open(self, key: str) -> tuple[ObjectInfo, BinaryIO] | None:
        """The object's description and an open file of that same version."""
        with self._translated(key):
            file = self._open(key)
            if file is None:
                return None
            status = os.fstat(file.fileno())
            return _info(key, status, None), file

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
            if error.errno not in _MISSING:
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
                if error.errno not in _MISSING:
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

    def _create_temporary(self, path: Path) -> Temporary:
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

    @contextmanager
    def _temporary(self, path: Path) -> Iterator[Temporary]:
        temporary = self._create_temporary(path)
        try:
            yield temporary
        finally:
            temporary.discard()

    def _commit(self, temporary: Temporary, path: Path, key: str, condition: Condition) -> None:
        """Put the temporary file in the key's place, if the condition holds."""
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
        path = self._path(f"{_BOOKKEEPING}/{_LOCKS}/{stripe:02d}.lock")
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
                    if entry.name.startswith(start) and _listed(base, entry)
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

    @contextmanager
    def _translated(self, key: str | None) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._raise(error, key)

    def _raise(self, error: OSError, key: str | None) -> NoReturn:
        reason = error.strerror or type(error).__name__
        if error.errno in _DENIED:
            raise AccessDeniedError(
                f"{reason}: check the folder's owner and permissions, and that no link lies in it",
                location=self.location,
                key=key,
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY):
            raise StoreUnavailableError(
                f"{reason}: a file lies where a folder should be, or the other way round; move it away",
                location=self.location,
                key=key,
            ) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreUnavailableError(
                f"{reason}: free some space; what was there before is unchanged",
                location=self.location,
                key=key,
            ) from error
        raise StoreUnavailableError(reason, location=self.location, key=key) from error


@dataclass(frozen=True, slots=True)
class Temporary:
    """A file being written beside its later place. Its name is never listed."""

    path: Path
    file: BinaryIO

    def discard(self) -> None:
        """Close and remove it, if it is still there."""
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


class Upload:
    """A body that is being written in chunks.

    The async bucket leaves a thread to itself when its task is cancelled, so a ``discard`` waits for the step that is
    under way, and no step does anything after it.
    """

    def __init__(self, folder: Folder, key: str) -> None:
        self._folder = folder
        self._key = key
        self._temporary: Temporary | None = None
        self._over = False
        self._lock = Lock()

    def write(self, chunk: bytes) -> None:
        with self._lock, self._folder._translated(self._key):  # noqa: SLF001 (one room)
            if not self._over:
                self._begun().file.write(chunk)

    def commit(self, condition: Condition) -> None:
        with self._lock, self._folder._translated(self._key):  # noqa: SLF001
            if not self._over:
                path = self._folder._path(self._key)  # noqa: SLF001
                self._folder._commit(self._begun(), path, self._key, condition)  # noqa: SLF001

    def discard(self) -> None:
        with self._lock:
            self._over = True
            if self._temporary is not None:
                self._temporary.discard()

    def _begun(self) -> Temporary:
        if self._temporary is None:
            path = self._folder._path(self._key)  # noqa: SLF001
            self._temporary = self._folder._create_temporary(path)  # noqa: SLF001
        return self._temporary


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


def _info(key: str, status: os.stat_result, version: str | None) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=status.st_size,
        updated_at=datetime.fromtimestamp(status.st_mtime, UTC),
        version=version,
        content_type=_content_type(key),
    )


def _content_type(key: str) -> str:
    """A folder keeps no content type, so the name tells it."""
    guessed, encoding = mimetypes.guess_type(key, strict=True)
    return guessed if guessed and not encoding else "application/octet-stream"


def _listed(base: str, entry: os.DirEntry[str]) -> bool:
    """Links, pipes and the like, temporary files, locks, and names that are not UTF-8 are no keys."""
    name = entry.name
    if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
        return False
    if name.startswith(".") and name.endswith(".tmp"):
        return False
    if not base and name == _BOOKKEEPING:
        return {each.name for each in Path(entry.path).iterdir()} - {_LOCKS} != set()
    if base == f"{_BOOKKEEPING}/" and name == _LOCKS:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
