"""A gibibyte passes through a store, and little of it is in memory at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from conformance.locations import FILE, OBSTORE, SEAWEEDFS, Location, environment

SIZE = 1 << 30
LIMIT = 150 << 20

PROGRAM = """
import asyncio, resource, sys
from sessionbucket import SessionData, open_async_store, open_store

url, side, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
CHUNK = 1 << 20

def peak():
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024

def chunks():
    for number in range(size // CHUNK):
        yield number.to_bytes(8, "big") * (CHUNK // 8)

def sync():
    with open_store(url) as store:
        store.save(SessionData(id="s"))
        store.put_file("s", "small", b"x")
        before = peak()
        store.put_file("s", "large", chunks())
        with store.open_file("s", "large") as file:
            for expected in chunks():
                assert file.read(CHUNK) == expected
            assert file.read() == b""
        return peak() - before

async def asynchronous():
    async with open_async_store(url) as store:
        await store.save(SessionData(id="s"))
        await store.put_file("s", "small", b"x")
        before = peak()
        await store.put_file("s", "large", chunks())
        async with await store.open_file("s", "large") as file:
            for expected in chunks():
                assert await file.read(CHUNK) == expected
            assert await file.read() == b""
        return peak() - before

print(sync() if side == "sync" else asyncio.run(asynchronous()))
"""


@pytest.mark.skipif(os.name == "nt", reason="no getrusage")
@pytest.mark.parametrize(
    ("kind", "side", "size"),
    [
        (FILE, "sync", SIZE),
        (FILE, "async", SIZE),
        (SEAWEEDFS, "sync", SIZE),
        (SEAWEEDFS, "async", SIZE // 2),
        (f"{SEAWEEDFS}+{OBSTORE}", "sync", SIZE // 4),
        (f"{SEAWEEDFS}+{OBSTORE}", "async", SIZE // 4),
    ],
)
def test_a_gibibyte_passes_through_with_little_memory(
    location_of: Callable[[str], Location], kind: str, side: str, size: int
):
    location = location_of(kind)
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            location.url(fsync="false") if kind == FILE else location.url(),
            side,
            str(size),
        ],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < LIMIT
    if kind == FILE:
        (location.root / "artifacts/s/files/large").unlink()
    else:
        location.raw.delete_object(Bucket=location.bucket, Key=location.key("artifacts/s/files/large"))
