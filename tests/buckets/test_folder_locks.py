"""The locks of a folder exclude other writers until their release, and no longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sessionbucket import StoreUnavailableError
from sessionbucket._backends.file import locks
from sessionbucket._backends.file.locks import release_lock, take_lock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "00.lock"


def take(path: Path) -> int:
    return take_lock(path, location="here", key="k")


def test_the_wait_for_a_lock_has_a_time_limit(path: Path, monkeypatch: pytest.MonkeyPatch):
    held = take(path)
    monkeypatch.setattr(locks, "_TIMEOUT", 0.01)
    with pytest.raises(StoreUnavailableError, match=r"has held the lock 00\.lock"):
        take(path)
    release_lock(held)
    release_lock(take(path))


@pytest.mark.skipif(os.name == "nt", reason="POSIX descriptors")
def test_a_released_lock_is_free_even_if_a_child_process_has_its_descriptor(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    held = take(path)
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[held]
    ) as child:
        release_lock(held)
        monkeypatch.setattr(locks, "_TIMEOUT", 0.01)
        release_lock(take(path))
        child.communicate(b"\n")


def test_the_lock_of_a_removed_file_is_not_used(path: Path, monkeypatch: pytest.MonkeyPatch):
    plain, removed = locks.lock_descriptor, []

    def lock(handle: int, *, blocking: bool) -> bool:
        if not removed:
            path.unlink()
            removed.append(path)
        return plain(handle, blocking=blocking)

    monkeypatch.setattr(locks, "lock_descriptor", lock)
    held = take(path)
    assert os.fstat(held).st_ino == path.stat().st_ino
    release_lock(held)


def test_a_released_lock_leaves_no_open_descriptor(path: Path):
    release_lock(take(path))
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        release_lock(take(path))
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    assert after == before
