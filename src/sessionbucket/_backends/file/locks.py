"""Locks that keep every other writer of a key out, in any thread and any process."""

from __future__ import annotations

import os
import time
import zlib
from pathlib import Path

from filelock import lock_descriptor, unlock_descriptor

from sessionbucket.errors import StoreUnavailableError

_STRIPES = 64
_TIMEOUT = 20.0
_POLL = 0.002
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


def lock_name(key: str) -> str:
    """The lock file of a key; all keys share 64 of them."""
    return f"{zlib.crc32(key.encode()) % _STRIPES:02d}.lock"


def take_lock(path: Path, *, location: str, key: str) -> int:
    """Hold the lock of the file, made where it is missing, until it is released or the process ends; gives its descriptor.

    Raises ``StoreUnavailableError`` when others have held it for 20 s, and ``OSError`` where it can't be opened.
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
    # A process forked meanwhile has the descriptor too, so to close ours would not be enough.
    unlock_descriptor(handle)
    os.close(handle)


def _try(path: Path) -> int | None:
    """A descriptor that holds the lock, or None while another does."""
    handle = os.open(path, _FLAGS, 0o600)
    held = False
    try:
        # The lock of a file that was removed after it was opened keeps nobody out.
        held = lock_descriptor(handle, blocking=False) and os.fstat(handle).st_nlink > 0
    finally:
        if not held:
            os.close(handle)
    return handle if held else None
