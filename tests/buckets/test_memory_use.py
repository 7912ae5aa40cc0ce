"""Files of any size are written and read with little memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from conformance.locations import FILE, MOTO, OBSTORE, SEAWEEDFS, Location, environment

MIB = 1 << 20
LIMIT = 96 * MIB

PROGRAM = """
import asyncio, resource, sys
from sessionbucket import Keyring, SessionData, open_async_store, open_store

url, side, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
keys = Keyring({"k": bytes(32)}, primary="k") if "encrypted" in side else None
CHUNK = 1 << 20

def peak():
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # On Linux, getrusage includes the memory of the parent process before exec.
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

def chunks():
    for number in range(size // CHUNK):
        yield number.to_bytes(8, "big") * (CHUNK // 8)

def sync():
    with open_store(url, encryption=keys) as store:
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
    async with open_async_store(url, encryption=keys) as store:
        await store.save(SessionData(id="s"))
        await store.put_file("s", "small", b"x")
        before = peak()
        await store.put_file("s", "large", chunks())
        async with await store.open_file("s", "large") as file:
            for expected in chunks():
                assert await file.read(CHUNK) == expected
            assert await file.read() == b""
        return peak() - before

print(sync() if "async" not in side else asyncio.run(asynchronous()))
"""


@pytest.mark.skipif(os.name == "nt", reason="no getrusage")
@pytest.mark.parametrize(
    ("kind", "side", "size"),
    [
        (FILE, "sync", 128 * MIB),
        pytest.param(MOTO, "sync", 128 * MIB, marks=pytest.mark.slow),
        pytest.param(MOTO, "async", 128 * MIB, marks=pytest.mark.slow),
        pytest.param(f"{MOTO}+{OBSTORE}", "async", 128 * MIB, marks=pytest.mark.slow),
        (FILE, "async encrypted", 128 * MIB),
        pytest.param(FILE, "sync", 1024 * MIB, marks=pytest.mark.slow),
        pytest.param(FILE, "sync encrypted", 1024 * MIB, marks=pytest.mark.slow),
        pytest.param(FILE, "async encrypted", 1024 * MIB, marks=pytest.mark.slow),
        pytest.param(SEAWEEDFS, "sync encrypted", 1024 * MIB, marks=pytest.mark.slow),
        pytest.param(FILE, "async", 1024 * MIB, marks=pytest.mark.slow),
        pytest.param(SEAWEEDFS, "sync", 1024 * MIB, marks=pytest.mark.slow),
        pytest.param(SEAWEEDFS, "async", 512 * MIB, marks=pytest.mark.slow),
        pytest.param(f"{SEAWEEDFS}+{OBSTORE}", "sync", 256 * MIB, marks=pytest.mark.slow),
        pytest.param(f"{SEAWEEDFS}+{OBSTORE}", "async", 256 * MIB, marks=pytest.mark.slow),
    ],
)
def test_a_large_file_passes_through_a_store_with_little_memory(
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
