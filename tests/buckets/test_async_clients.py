"""The clients of an async store: each closes with its event loop, and a store that was never closed warns once, in our words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from conformance.locations import MOTO, OBSTORE, SEAWEEDFS, Location, environment
from sessionbucket import BucketNotFoundError, SessionData, open_store

MANY_RUNS = """
import asyncio, gc, sys, warnings
from sessionbucket import open_async_store
warnings.simplefilter("always")
store = open_async_store(sys.argv[1])
async def use():
    await store.load("s")
for _ in range(20):
    asyncio.run(use())
async def end():
    await store.load("s")
    await store.close()
asyncio.run(end())
del store
gc.collect()
"""

NEVER_CLOSED = """
import asyncio, gc, sys, warnings
from sessionbucket import open_async_store
warnings.simplefilter("always")
async def use():
    store = open_async_store(sys.argv[1])
    await store.load("s")
    await asyncio.gather(*(store.load(str(number)) for number in range(4)))
    del store
    gc.collect()
    await asyncio.sleep(0)
asyncio.run(use())
gc.collect()
"""

LOOP_ENDED = """
import asyncio, sys, warnings
from sessionbucket import open_async_store
warnings.simplefilter("always")
store = open_async_store(sys.argv[1])
async def use():
    await store.load("s")
asyncio.run(use())
"""


def errors_of(program: str, url: str) -> str:
    """What a program writes to its standard error."""
    ran = subprocess.run(
        [sys.executable, "-W", "always::ResourceWarning", "-c", program, url],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", [MOTO, f"{MOTO}+{OBSTORE}"])
def test_one_store_over_many_event_loops_leaves_no_socket_open(
    location_of: Callable[[str], Location], kind: str
):
    errors = errors_of(MANY_RUNS, location_of(kind).url())
    assert "unclosed" not in errors.lower(), errors
    assert "Traceback" not in errors, errors


def test_a_store_that_was_never_closed_warns_once_in_our_words(location_of: Callable[[str], Location]):
    errors = errors_of(NEVER_CLOSED, location_of(MOTO).url())
    assert errors.count("ResourceWarning: an") == 1, errors
    assert errors.count("an async store was never closed; use `async with`, or await its close()") == 1, (
        errors
    )
    assert "Unclosed" not in errors, errors
    assert "Traceback" not in errors, errors


def test_a_store_whose_event_loop_has_ended_needs_no_close(location_of: Callable[[str], Location]):
    assert errors_of(LOOP_ENDED, location_of(MOTO).url()) == ""


@pytest.mark.parametrize(
    ("package", "url", "extra"),
    [
        ("aioboto3", "s3://bucket?region=us-east-1", "async"),
        ("obstore", "s3://bucket?region=us-east-1&engine=obstore", "obstore"),
        ("obstore", "gs://bucket", "obstore"),
        ("obstore", "az://bucket", "obstore"),
    ],
)
def test_a_missing_extra_is_found_when_the_store_is_opened(package: str, url: str, extra: str):
    program = """
import sys
sys.modules[sys.argv[1]] = None
from sessionbucket import NotSupportedError, open_async_store
try:
    open_async_store(sys.argv[2])
except NotSupportedError as error:
    print(error)
"""
    command = [sys.executable, "-c", program, package, url]
    ran = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    assert f"install sessionbucket[{extra}]" in ran.stdout


@pytest.mark.parametrize("kind", [SEAWEEDFS, f"{SEAWEEDFS}+{OBSTORE}"])
@pytest.mark.parametrize("call", ["save", "update", "delete", "health_check"])
def test_a_typo_in_the_name_of_a_bucket_makes_no_new_bucket(
    location_of: Callable[[str], Location], kind: str, call: str
):
    """SeaweedFS creates a missing bucket on a write. Files and parts are written without a look at the bucket (docs/servers)."""
    location = location_of(kind)
    typo = f"{location.bucket}-typo-{call.replace('_', '-')}"
    url = location.url().replace(f"//{location.bucket}/", f"//{typo}/")
    with open_store(url) as store:
        calls = {
            "save": lambda: store.save(SessionData(id="s")),
            "update": lambda: store.update("s", lambda session: session, create=lambda: SessionData(id="s")),
            "delete": lambda: store.delete("s"),
            "health_check": store.health_check,
        }
        with pytest.raises(BucketNotFoundError, match=typo):
            calls[call]()
    assert typo not in [bucket["Name"] for bucket in location.raw.list_buckets()["Buckets"]]
