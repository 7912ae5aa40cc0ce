"""What importing the package loads, and what it does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sessionbucket
from conformance.locations import Location, environment

HEAVY = ("boto3", "botocore", "aioboto3", "aiobotocore", "aiohttp", "obstore", "typer", "rich", "moto")


def loaded_by(program: str, *arguments: str) -> set[str]:
    """Which of the heavy modules a program of its own has loaded at its end."""
    ending = f"\nimport sys\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program + ending, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    "program",
    [
        "import sessionbucket",
        "from sessionbucket import SessionData, SessionStore, AsyncSessionStore, SessionConflictError",
        "from sessionbucket import open_store, open_async_store, FileBucket, AsyncFileBucket, MemoryBucket",
        "import sessionbucket.testing, sessionbucket.errors, sessionbucket.models, sessionbucket.codec",
    ],
)
def test_importing_the_package_loads_no_client_library(program: str):
    assert loaded_by(program) == set()


def test_a_store_in_memory_or_in_a_folder_loads_no_client_library(folder: Location):
    program = """
import asyncio, sys
from sessionbucket import SessionData, open_async_store, open_store
for url in ("memory://", sys.argv[1]):
    with open_store(url) as store:
        store.save(SessionData(id="s"))
        assert store.load("s") and store.list() == ["s"]
        store.put_file("s", "x", b"x")
        store.health_check()
        store.delete("s")
    async def main():
        async with open_async_store(url) as store:
            await store.save(SessionData(id="s"))
            assert await store.list() == ["s"]
            await store.delete("s")
    asyncio.run(main())
"""
    assert loaded_by(program, folder.url()) == set()


def test_a_sync_store_in_a_bucket_loads_nothing_of_the_async_side():
    program = "from sessionbucket import open_store; open_store('s3://bucket').close()"
    assert loaded_by(program) <= {"boto3", "botocore"}


def test_every_public_name_resolves_and_is_listed_once():
    assert sessionbucket.__all__ == sorted(set(sessionbucket.__all__))
    for name in sessionbucket.__all__:
        assert getattr(sessionbucket, name) is not None
    assert set(sessionbucket.__all__) <= set(dir(sessionbucket))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sessionbucket.nothing


@pytest.mark.parametrize(
    "name",
    [
        "open_store",
        "open_async_store",
        "SessionStore",
        "AsyncSessionStore",
        "BaseSessionStore",
        "AsyncBaseSessionStore",
        "S3Bucket",
        "AsyncS3Bucket",
        "FileBucket",
        "AsyncFileBucket",
        "MemoryBucket",
        "AsyncMemoryBucket",
        "Bucket",
        "AsyncBucket",
        "SessionData",
        "SessionInfo",
        "SessionPage",
        "SessionBucketError",
        "InvalidSessionIdError",
        "SessionConflictError",
        "SessionCorruptedError",
        "SessionTooLargeError",
        "ConditionalWritesUnsupportedError",
        "StoreUnavailableError",
        "AccessDeniedError",
        "BucketNotFoundError",
        "DeleteIncompleteError",
        "NotSupportedError",
    ],
)
def test_what_the_design_promises_is_public(name: str):
    assert name in sessionbucket.__all__
