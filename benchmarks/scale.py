"""``python -m benchmarks.scale``: what the operations on a large store cost, in a folder and on SeaweedFS.

It fills each store with small conversations, which takes minutes for each 100,000, and runs every operation in a fresh process. It prints
tables in Markdown: time, memory and requests.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from benchmarks.processes import run_program
from benchmarks.servers import SEAWEEDFS, Servers
from sessionbucket import Conversation, SessionStore, open_store

FOLDER = "folder"
OPERATIONS = (
    "first page of 20",
    "first page of 20 summaries",
    "list of one user",
    "summaries of one user",
    "list",
    "list, 16 ranges at once",
    "sweep, dry run",
    "check",
    "summaries, first time",
    "summaries, again",
)
"""The operations of ``programs/scale.py``, in the order in which they run."""
USERS = 1000
"""The ids of the sessions start with the names of this number of users."""
_THREADS = 8
_MB = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Fill the stores, measure, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "places", nargs="*", metavar="PLACE", help=f"{FOLDER} or {SEAWEEDFS}; both by default"
    )
    parser.add_argument("--sessions", type=int, default=1_000_000, help="the number of sessions")
    chosen = parser.parse_args(arguments)
    for place in chosen.places or (FOLDER, SEAWEEDFS):
        with ExitStack() as stack:
            url = _new_store(place, stack)
            started = time.perf_counter()
            _fill(url, chosen.sessions)
            _print(
                f"\n{place}: {chosen.sessions:,} sessions, filled in {time.perf_counter() - started:.0f} s\n"
            )
            _print("| operation | results | time | CPU | memory | requests |\n|---|---|---|---|---|---|")
            for name in OPERATIONS:
                _print(_row(name, json.loads(run_program("scale", url, name).output)))
    return 0


def _new_store(place: str, stack: ExitStack) -> str:
    if place == FOLDER:
        return f"{Path(stack.enter_context(tempfile.TemporaryDirectory())).as_uri()}?fsync=false"
    server = stack.enter_context(Servers()).get(place)
    return server.store_url(server.new_bucket(), "store", "obstore")


def _fill(url: str, number: int) -> None:
    """Save the sessions, by one process a core."""
    workers = os.cpu_count() or 1
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(partial(_fill_share, url, number, workers), range(workers))


def _fill_share(url: str, number: int, workers: int, worker: int) -> None:
    ids = (f"user-{session % USERS:04}/chat-{session:07}" for session in range(worker, number, workers))
    with open_store(url, model=Conversation) as store:
        if url.startswith("file:"):
            _copy(store, ids)
            return
        with ThreadPoolExecutor(_THREADS) as pool:
            while some := list(islice(ids, 10_000)):
                for _ in pool.map(lambda id: store.save(_conversation(id)), some):
                    pass


def _copy(store: SessionStore[Conversation], ids: Iterator[str]) -> None:
    """Write the files of these sessions, each with the bytes that a save would write."""
    first = next(ids)
    store.save(_conversation(first))
    saved = store.bucket.get(f"{quote(first, safe='')}.json", max_bytes=_MB)
    assert saved is not None  # noqa: S101 (narrowing)
    for id in ids:
        body = saved.body.replace(first.encode(), id.encode())
        store.bucket.put(f"{quote(id, safe='')}.json", body)


def _conversation(id: str) -> Conversation:
    messages = [
        {"role": "user", "content": "Where is my order?"},
        {"role": "assistant", "content": "On its way."},
    ]
    return Conversation(id=id, title=f"Order of {id}", messages=messages)


def _row(name: str, found: dict[str, object]) -> str:
    requests = found["requests"]
    assert isinstance(requests, dict)  # noqa: S101 (narrowing)
    sent = ", ".join(f"{count:,} {kind}" for kind, count in requests.items())
    seconds, cpu, memory = (float(str(found[key])) for key in ("seconds", "cpu", "memory"))
    return f"| {name} | {found['results']:,} | {seconds:,.2f} s | {cpu:,.2f} s | {memory / _MB:,.0f} MB | {sent} |"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
