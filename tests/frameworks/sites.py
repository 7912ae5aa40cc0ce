"""SeaweedFS behind the fault proxy, at the URL of each engine of the async side. A conftest imports the fixtures that it needs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from both_sides import at_once
from faults.proxy import FaultProxy
from sessionbucket.testing import SeaweedServer

BUCKET = "sessions"
ENGINES = ("aioboto3", "obstore")


@dataclass
class Site:
    """A prefix that no other test uses, in a bucket behind the proxy."""

    engine: str
    proxy: FaultProxy
    raw: Any
    prefix: str

    def url(self, **options: Any) -> str:
        """The URL of the store, with time limits that are long enough for slow machines."""
        chosen = {
            "endpoint_url": self.proxy.url,
            "addressing_style": "path",
            "engine": self.engine,
            "region": "us-east-1",
            "read_timeout": 20,
            "retry_timeout": 60,
        } | options
        return f"s3://{BUCKET}/{self.prefix}?{urlencode(chosen)}"

    def stored_keys(self) -> list[str]:
        """The keys under the prefix."""
        return [
            key.removeprefix(f"{self.prefix}/") for key in self._all_keys() if key.startswith(self.prefix)
        ]

    def body(self, key: str) -> bytes:
        """The body of an object under the prefix, read without our code."""
        return bytes(self.raw.get_object(Bucket=BUCKET, Key=f"{self.prefix}/{key}")["Body"].read())

    def put(self, key: str, body: bytes) -> None:
        """Replace an object without our code."""
        self.raw.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{key}", Body=body)

    def holders(self, canary: str) -> list[str]:
        """The keys of the whole bucket that contain a text, or whose objects do in the body or the metadata."""
        found = []
        for key in self._all_keys():
            response = self.raw.get_object(Bucket=BUCKET, Key=key)
            contents = (key, str(response["Metadata"]), response["Body"].read().decode(errors="replace"))
            found += [key] if any(canary in each for each in contents) else []
        return found

    def _all_keys(self) -> list[str]:
        pages = self.raw.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [row["Key"] for page in pages for row in page.get("Contents", [])]

    def requests(self) -> dict[str, int]:
        """The number of requests of each kind since the last call; a LIST is a GET with a query."""
        counts: dict[str, int] = {}
        for each in self.proxy.recorded:
            kind = (
                "LIST" if "list-type=2" in each.path else "DELETE" if each.method == "POST" else each.method
            )
            counts[kind] = counts.get(kind, 0) + 1
        self.proxy.reset()
        return counts


@pytest.fixture(scope="session")
def proxy(seaweed: SeaweedServer, seaweed_bucket: str) -> Iterator[FaultProxy]:
    with FaultProxy(seaweed.endpoint_url) as running:
        yield running


@pytest.fixture(params=ENGINES)
def site(
    request: pytest.FixtureRequest, proxy: FaultProxy, raw_client: Callable[[str], Any]
) -> Iterator[Site]:
    """A site whose server has been probed, so that the proxy records only the requests of the test."""
    site = Site(request.param, proxy, raw_client(proxy.target), f"t-{uuid4().hex}")
    run(_probe(site.url()))
    proxy.reset()
    yield site
    proxy.reset()
    proxy.settle()
    assert not proxy.failures


async def _probe(url: str) -> None:
    from sessionbucket import open_async_store

    async with open_async_store(url) as store:
        await store.probe_conditional_writes()


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run the work in an event loop of its own, as each host has one."""
    return asyncio.run(work)


def run_hosts(work: Callable[[int], Coroutine[Any, Any, Any]], hosts: int) -> list[Any]:
    """Run the work of each host at the same time, in threads with an event loop each. Returns the results or errors."""
    return at_once([partial(_run_host, work, host) for host in range(hosts)])


def _run_host(work: Callable[[int], Coroutine[Any, Any, Any]], host: int) -> Any:
    return run(work(host))


class ResponsePause:
    """A fault that forwards the request, and holds its response back until `resume`."""

    def __init__(self) -> None:
        self.has_arrived = threading.Event()
        self._resumed = threading.Event()

    def resume(self) -> None:
        self._resumed.set()

    async def __call__(self, exchange: Any) -> Any:
        response = await exchange.forward()
        self.has_arrived.set()
        await asyncio.to_thread(self._resumed.wait)
        return await exchange.send(response)
