"""The errors of the operating system, and the errors that the library raises for them."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sessionbucket.errors import AccessDeniedError, StorageError, StoreUnavailableError

MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP)
_MISPLACED = (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY)
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def translated(location: str, key: str | None) -> Iterator[None]:
    """Translate every error of the operating system in the block."""
    try:
        yield
    except OSError as error:
        raise _error_for(error, location, key) from error


def _error_for(error: OSError, location: str, key: str | None) -> StorageError:
    reason = error.strerror or type(error).__name__
    if error.errno in _DENIED:
        advice = "check the folder's owner and permissions, and that no symbolic link is in it"
        return AccessDeniedError(f"{reason}: {advice}", location=location, key=key)
    if error.errno in _MISPLACED:
        advice = "a file is in the place of a folder, or a folder in that of a file; move it away"
        return StoreUnavailableError(f"{reason}: {advice}", location=location, key=key)
    if error.errno == errno.EXDEV:
        advice = "a folder of the store is on another file system; keep the store on one file system"
        return StoreUnavailableError(f"{reason}: {advice}", location=location, key=key)
    if error.errno in _FULL:
        advice = "free some space; the object is unchanged"
        return StoreUnavailableError(f"{reason}: {advice}", location=location, key=key)
    return StoreUnavailableError(reason, location=location, key=key)
