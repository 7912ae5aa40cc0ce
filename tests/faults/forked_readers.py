"""A program that uses a store, forks, and reads in the parent and its children at once: ``python forked_readers.py URL ENGINE``.

Each process reads all files several times, and exits with 1 for a wrong body. It prints one line of JSON for each child: the number of
right bodies, or the error. The last line is that of the parent.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from sessionbucket import SessionBucketError, SessionStore, open_async_store, open_store

ID = "s"
FILES = 8
ROUNDS = 4
CHILDREN = 6
SECONDS = 60
WITH_THREAD = " beside a thread"


def content(number: int) -> bytes:
    return f"file {number} ".encode() * 200


def read_all(store: SessionStore[Any]) -> int:
    for round_ in range(ROUNDS):
        for number in range(FILES):
            with store.open_file(ID, f"{number}") as file:
                found = file.read()
            assert found == content(number), f"round {round_}: another body than that of file {number}"
    return ROUNDS * FILES


async def read_all_async(store: Any) -> int:
    for round_ in range(ROUNDS):
        for number in range(FILES):
            async with await store.open_file(ID, f"{number}") as file:
                found = await file.read()
            assert found == content(number), f"round {round_}: another body than that of file {number}"
    return ROUNDS * FILES


def in_children(read: Callable[[], int]) -> None:
    """Read in all children and in the parent at once, and print what each of them found."""
    ends = []
    gate, opener = os.pipe()
    for _ in range(CHILDREN):
        reading, writing = os.pipe()
        if os.fork() == 0:
            signal.alarm(SECONDS)
            os.close(opener)
            os.read(gate, 1)  # ends when the parent closes the other end
            os.write(writing, result_of(read))
            os._exit(0)
        os.close(writing)
        ends.append(reading)
    os.close(opener)
    mine = result_of(read)
    for end in ends:
        with os.fdopen(end, "rb") as pipe:
            sys.stdout.write((pipe.read() or b'"killed: it took too long"').decode() + "\n")
    sys.stdout.write(mine.decode() + "\n")


def result_of(read: Callable[[], int]) -> bytes:
    try:
        return json.dumps(read()).encode()
    except SessionBucketError as error:
        return json.dumps(f"{type(error).__name__}: {error}").encode()
    except BaseException as error:  # noqa: BLE001 (the parent prints it)
        return json.dumps(f"not one of ours: {error!r}").encode()


def read_until(stop: threading.Event, store: SessionStore[Any]) -> None:
    """Keep the connections, and the locks around them, in use while the process forks."""
    while not stop.is_set():
        read_all(store)


def main(url: str, engine: str) -> None:
    if engine == "aioboto3" or engine == "async obstore":
        store = open_async_store(f"{url}&engine={engine.removeprefix('async ')}")
        loop = asyncio.new_event_loop()
        loop.run_until_complete(read_all_async(store))

        def read() -> int:
            if os.getpid() == parent:
                return loop.run_until_complete(read_all_async(store))
            return asyncio.run(read_all_async(store))

        parent = os.getpid()
        in_children(read)
        loop.run_until_complete(store.close())
        loop.close()
        return
    with open_store(f"{url}&engine={engine.removesuffix(WITH_THREAD)}") as store:
        read_all(store)
        stop = threading.Event()
        thread = threading.Thread(target=read_until, args=(stop, store))
        if engine.endswith(WITH_THREAD):
            thread.start()
        try:
            in_children(lambda: read_all(store))
        finally:
            stop.set()
            if engine.endswith(WITH_THREAD):
                thread.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
