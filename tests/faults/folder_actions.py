"""Actions on a folder that need their own process, with other permissions or limits.

``python folder_actions.py SIDE ACTION ARGUMENT…`` prints the result: the kind and message of the error, or the contents.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401 (a user without permissions could not import it later)
import multiprocessing
import os
import resource
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

from sessionbucket import (
    AsyncFileBucket,
    AsyncSessionStore,
    FileBucket,
    SessionBucketError,
    SessionConflictError,
    SessionData,
    SessionStore,
    StoreUnavailableError,
)


class Store:
    """A store of either side behind one interface."""

    def __init__(self, side: str, root: str, *, fsync: bool = False) -> None:
        self.side = side
        self._is_async = side == "async"
        self._store: Any = (
            AsyncSessionStore(AsyncFileBucket(root, fsync=fsync, create=False))
            if self._is_async
            else SessionStore(FileBucket(root, fsync=fsync, create=False))
        )

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not self._is_async:
            return method

        async def called(*args: Any, **kwargs: Any) -> Any:
            return await method(*args, **kwargs)

        return lambda *args, **kwargs: asyncio.run(called(*args, **kwargs))


def write_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def attempt(call: Any) -> None:
    try:
        call()
    except SessionBucketError as error:
        write_line(f"{type(error).__name__} {getattr(error, 'outcome', '')} {error}")
    else:
        write_line("done")


def load_all_modules(side: str) -> None:
    """Import the modules of a side now, since the new user may not be allowed to read them at their first use."""
    for package in (import_module(f"sessionbucket._{side}"), import_module("sessionbucket._core")):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)


def drop_permissions(store: Store, uid: str) -> None:
    store.exists("s")
    load_all_modules(store.side)
    if uid:
        os.setgroups([])
        os.setgid(int(uid))
        os.setuid(int(uid))


def save(store: Store, root: str, uid: str) -> None:
    session = store.load("s")
    session.tool_names.append("after")
    drop_permissions(store, uid)
    attempt(lambda: store.save(session))


def durable_save(store: Store, root: str, uid: str) -> None:
    save(Store(store.side, root, fsync=True), root, uid)


def delete(store: Store, root: str, uid: str) -> None:
    drop_permissions(store, uid)
    attempt(lambda: store.delete("s"))


def put_file(store: Store, root: str, uid: str) -> None:
    drop_permissions(store, uid)
    attempt(lambda: store.put_file("s", "a.bin", b"x"))


def load(store: Store, root: str, uid: str) -> None:
    drop_permissions(store, uid)
    attempt(lambda: store.load("s"))


def fill(store: Store, root: str) -> None:
    """Fill the disk, fail to write, free space, and continue."""
    session = SessionData(id="s", tool_names=["before"])
    store.save(session)
    ballast = Path(root, "ballast")
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    session.tool_names.append("x" * 500_000)
    attempt(lambda: store.save(session))
    attempt(lambda: store.put_file("s", "a.bin", b"x" * 500_000))
    temporary = [path.name for path in Path(root).rglob("*.tmp")]
    assert not temporary, temporary
    ballast.unlink()
    save_and_load(store, session)


def limit(store: Store, root: str) -> None:
    """Limit the size of files to 100 KB, fail to write, lift the limit, and continue."""
    session = SessionData(id="s", tool_names=["before"])
    store.save(session)
    session.tool_names.append("x" * 500_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    attempt(lambda: store.save(session))
    attempt(lambda: store.put_file("s", "a.bin", b"x" * 500_000))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    save_and_load(store, session)


def exhaust(store: Store, root: str) -> None:
    """Write a file with few free descriptors, and compare each outcome with the stored bytes."""
    store = Store(store.side, root, fsync=True)
    store.put_file("s", "x", b"first")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir())) - 1
    stored = b"first"
    outcomes = set()
    for free in range(6):
        body = f"{free} free".encode()
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + free, hard))
        try:
            store.put_file("s", "x", body)
            outcome = "written"
        except StoreUnavailableError as error:
            outcome = error.outcome
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        stored = stored if outcome == "not written" else body
        outcomes.add(outcome)
        assert Path(root, "artifacts/s/files/x").read_bytes() == stored, (free, outcome)
    write_line(" and ".join(sorted(outcomes)))


def save_and_load(store: Store, session: SessionData) -> None:
    before = store.load("s").tool_names
    assert store.list_files("s") == []
    session.tool_names[1:] = ["after"]
    store.save(session)
    write_line(f"{before[0]}, and {store.load('s').tool_names[1]}")


def race(store: Store, root: str, racers: str, rounds: str) -> None:
    """Replace one version from several processes at once, and print how many saves succeeded."""
    side = "async" if isinstance(store._store, AsyncSessionStore) else "sync"
    Path(root).mkdir()
    context = multiprocessing.get_context("fork")
    for number in range(int(rounds)):
        id = f"s{number}"
        store.save(SessionData(id=id))
        gate = context.Barrier(int(racers))
        won = context.Value("i", 0)
        processes = [
            context.Process(target=replace, args=(Store(side, root), id, str(racer), gate, won))
            for racer in range(int(racers))
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        write_line(str(won.value))


def replace(store: Store, id: str, name: str, gate: Any, won: Any) -> None:
    session = store.load(id)
    session.tool_names.append(name)
    gate.wait()
    try:
        store.save(session)
    except SessionConflictError:
        return
    with won.get_lock():
        won.value += 1


ACTIONS = {
    action.__name__: action
    for action in (save, durable_save, delete, put_file, load, fill, limit, exhaust, race)
}

if __name__ == "__main__":
    ACTIONS[sys.argv[2]](Store(sys.argv[1], sys.argv[3]), *sys.argv[3:])
