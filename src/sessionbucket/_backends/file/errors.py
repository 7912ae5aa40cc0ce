"""What the errors of the operating system mean for a caller."""

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
    """Let no error of the operating system out of the block."""
    try:
        yield
    except OSError as error:
        raise _meaning(error, location, key) from error


def _meaning(error: OSError, location: str, key: str | None) -> StorageError:
    reason = error.strerror or type(error).__name__
    if error.errno in _DENIED:
        advice = "check the folder's owner and permissions, and that no link lies in it"
        return AccessDeniedError(f"{reason}: {advice}", location=location, key=key)
    if error.errno in _MISPLACED:
        advice = "a file lies where a folder should be, or the other way round; move it away"
        return StoreUnavailableError(f"{reason}: {advice}", location=location, key=key)
    if error.errno in _FULL:
        advice = "free some space; what was there before is unchanged"
        return StoreUnavailableError(f"{reason}: {advice}", location=location, key=key)
    return StoreUnavailableError(reason, location=location, key=key)
