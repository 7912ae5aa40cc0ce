"""Hosts that share one session on SeaweedFS, behind a proxy that drops responses; and what is left in the bucket."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from conformance.locations import environment, keys_under
from faults.proxy import FaultProxy, requests
from faults.proxy_faults import Chaos, drop_response
from sessionbucket import open_async_store, open_store

HOSTS = 2
APPENDS = 25
RATE = 0.05
ENGINES = ("default", "obstore")
CANARY = "canary-5d1f0c"


@dataclass
class Place:
    """A prefix that no other test uses, in a bucket of SeaweedFS behind the proxy."""

    proxy: FaultProxy
    raw: Any
    bucket: str
    prefix: str
    engine: str

    def url(self) -> str:
        """The URL of a store here. Its requests pass the proxy, and its time limits suit slow machines."""
        options = {
            "endpoint_url": self.proxy.url,
            "addressing_style": "path",
            "read_timeout": "20",
            "retry_timeout": "60",
        } | ({} if self.engine == "default" else {"engine": self.engine})
        return f"s3://{self.bucket}/{self.prefix}?{urlencode(options)}"

    def drop_responses(self, seed: int = 1) -> None:
        """Lose the response to a share of the requests from now on."""
        self.proxy.on(requests(), Chaos(seed, RATE, [drop_response]), times=None)

    def clear_faults(self) -> int:
        """Stop the faults, and return the number of lost responses."""
        dropped = sum(request.status is None for request in self.proxy.recorded)
        self.proxy.reset()
        return dropped

    def occurrences(self, text: str) -> list[str]:
        """The keys in the whole bucket that have the text in them, or in the bodies or metadata of their objects, read without our code."""
        found = []
        for key in keys_under(self.raw, self.bucket):
            response = self.raw.get_object(Bucket=self.bucket, Key=key)
            with response["Body"] as body:
                if text.encode() in f"{key} {response['Metadata']}".encode() + body.read():
                    found.append(key)
        return found


@pytest.fixture(scope="session")
def seaweed_proxy(seaweed: Any, seaweed_bucket: str) -> Iterator[FaultProxy]:
    with FaultProxy(seaweed.endpoint_url) as proxy:
        yield proxy


@pytest.fixture(params=ENGINES)
def place(
    request: pytest.FixtureRequest,
    seaweed_proxy: FaultProxy,
    seaweed_bucket: str,
    raw_client: Callable[[str], Any],
) -> Iterator[Place]:
    """A place for each engine, whose server has been probed, so that the faults meet requests of the test alone."""
    seaweed_proxy.reset()
    raw = raw_client(seaweed_proxy.target)
    place = Place(seaweed_proxy, raw, seaweed_bucket, f"t-{uuid4().hex}", request.param)
    with open_store(place.url()) as store:
        store.probe_conditional_writes()
    asyncio.run(probe(place.url()))
    seaweed_proxy.reset()
    yield place
    seaweed_proxy.reset()
    seaweed_proxy.settle()
    assert not seaweed_proxy.failures


async def probe(url: str) -> None:
    async with open_async_store(url) as store:
        await store.probe_conditional_writes()


def check_appends(found: list[tuple[int, int]]) -> None:
    """Check the appends ``(host, number)`` in the order in which they are stored."""
    assert len(found) == HOSTS * APPENDS
    for host in range(HOSTS):
        assert [number for each, number in found if each == host] == list(range(APPENDS))


def modules_added(program: str, after: str) -> set[str]:
    """The modules that a program loads in its own process after another program."""
    source = f"import sys, json\n{after}\nbefore = set(sys.modules)\n{program}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    ran = subprocess.run(
        [sys.executable, "-c", source], env=environment(), capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


FORBIDDEN_ON_IMPORT = (
    "boto3",
    "botocore",
    "aioboto3",
    "aiobotocore",
    "aiohttp",
    "obstore",
    "sessionbucket.models",
    "langgraph",
    "agents",
    "strands",
    "google.adk",
    "claude_agent_sdk",
    "pydantic_ai",
    "agent_framework",
    "llama_index",
)


def forbidden_in(added: set[str], own: str) -> set[str]:
    """The client libraries, models of ours, and frameworks other than ``own`` among these modules."""
    forbidden = [f"{each}." for each in FORBIDDEN_ON_IMPORT if each != own]
    return {name for name in added if f"{name}.".startswith(tuple(forbidden))}
