"""Locks that exclude every other writer of a key, in any thread and any process."""

from __future__ import annotations

import os
import time
import zlib
from contextlib import suppress
from pathlib import Path

from filelock import lock_descriptor, unlock_descriptor

from sessionbucket.errors import StoreUnavailableError

_STRIPES = 64
_TIMEOUT = 20.0
_POLL = 0.002
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


def lock_name(key: str) -> str:
    """The name of a key's lock file; all keys share 64 of them."""
    return f"{zlib.crc32(key.encode()) % _STRIPES:02d}.lock"


def take_lock(path: Path, *, location: str, key: str) -> int:
    """Take the lock of a file, which is created when it is missing, and return its descriptor.

    The lock ends by ``release_lock`` or with the process. Raises ``StoreUnavailableError`` when other writers hold it for 20 s, and
    ``OSError`` when the file cannot be opened.
    """
    deadline = time.monotonic() + _TIMEOUT
    while (handle := _try(path)) is None:
        if time.monotonic() > deadline:
            raise StoreUnavailableError(
                f"another writer has held the lock {path.name} for {_TIMEOUT:.0f} s; try again",
                location=location,
                key=key,
            )
        time.sleep(_POLL)
    return handle


def release_lock(handle: int) -> None:
    # The change under the lock is done, so no failure here may be reported as one of the change.
    with suppress(OSError):
        unlock_descriptor(
            handle
        )  # a process forked meanwhile has the descriptor, too, so closing ours is not enough
    with suppress(OSError):
        os.close(handle)


def _try(path: Path) -> int | None:
    """A descriptor that holds the lock, or None while another writer holds it."""
    handle = os.open(path, _FLAGS, 0o600)
    held = False
    try:
        # The lock of a file that was removed after it was opened excludes nobody.
        held = lock_descriptor(handle, blocking=False) and os.fstat(handle).st_nlink > 0
    finally:
        if not held:
            os.close(handle)
    return handle if held else None
