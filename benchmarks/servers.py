"""The servers that all contenders use, each in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

from sessionbucket.testing.seaweedfs import ACCESS_KEY, SECRET_KEY, SeaweedServer

MOTO, SEAWEEDFS = "moto", "seaweedfs"
REGION = "us-east-1"
_BEHIND = " + "
_PROGRAMS = Path(__file__).parent / "programs"
_buckets = count(1)


def delayed(name: str, milliseconds: int) -> str:
    """The name of a server behind a delay in tables."""
    return f"{name}{_BEHIND}{milliseconds} ms"


def is_delayed(name: str) -> bool:
    """Whether this is the name of a server behind a delay."""
    return _BEHIND in name


class Server:
    """One running S3 server."""

    access_key = ACCESS_KEY
    secret_key = SECRET_KEY

    def __init__(self, name: str, endpoint_url: str) -> None:
        self.name = name
        self.endpoint_url = endpoint_url

    @cached_property
    def client(self) -> Any:
        """A plain boto3 client for the set-up, which is not timed."""
        import boto3  # noqa: PLC0415 (slow to import)
        from botocore.config import Config  # noqa: PLC0415

        return boto3.client("s3", endpoint_url=self.endpoint_url, config=Config(max_pool_connections=64))

    def new_bucket(self) -> str:
        """Create a bucket that nothing else uses, and return its name."""
        name = f"bench-{next(_buckets)}"
        self.client.create_bucket(Bucket=name)
        return name

    def store_url(self, bucket: str, prefix: str, engine: str) -> str:
        """The URL of a sessionbucket store with this engine."""
        options = {"endpoint_url": self.endpoint_url, "region": REGION, "engine": engine}
        return f"s3://{bucket}/{prefix}?{urlencode(options)}"

    def counted(self) -> dict[str, int]:
        """The number of requests since the last call, by price class. Only our moto server counts them."""
        with urlopen(f"{self.endpoint_url}/-/requests") as response:  # noqa: S310 (loopback)
            found: dict[str, int] = json.load(response)
        return found


class Servers:
    """Starts each server on first use, and stops all at the end. Use it as a context manager.

    It sets the credentials of this process and its children to those of the servers, and removes all others.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: dict[str, Server] = {}

    def __enter__(self) -> Self:
        for name in [name for name in os.environ if name.startswith(("AWS_", "SESSIONBUCKET_"))]:
            del os.environ[name]
        os.environ |= {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        return self

    def get(self, name: str) -> Server:
        """The server of this name. The first call starts it."""
        if name not in self._running:
            endpoint_url = (
                self._start_moto()
                if name == MOTO
                else self._stack.enter_context(SeaweedServer()).endpoint_url
            )
            self._running[name] = Server(name, endpoint_url)
        return self._running[name]

    @contextmanager
    def behind(self, server: Server, milliseconds: int) -> Iterator[Server]:
        """The server behind a proxy that delays its responses."""
        found = urlsplit(server.endpoint_url)
        with ExitStack() as stack:
            port = _start("slow_proxy", str(found.hostname), str(found.port), str(milliseconds), stack=stack)
            yield Server(delayed(server.name, milliseconds), f"http://127.0.0.1:{port}")

    def _start_moto(self) -> str:
        return f"http://127.0.0.1:{_start('moto_server', stack=self._stack)}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _start(program: str, *arguments: str, stack: ExitStack) -> int:
    """Start one of ``programs/``, which the stack ends, and return the port that it prints."""
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, str(_PROGRAMS / f"{program}.py"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    )
    stack.callback(process.kill)
    assert process.stdout is not None  # noqa: S101 (narrowing)
    return int(process.stdout.readline())
