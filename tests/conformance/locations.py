"""The location of a test's objects: a kind of bucket, and a place in it that no other test uses."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import obstore
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from obstore.store import AzureStore, S3Store

from sessionbucket._core.store_url import Cloud

MEMORY = "memory"
FILE = "file"
MOTO = "moto"
SEAWEEDFS = "seaweedfs"
CEPH = "ceph"
MINISTACK = "ministack"
KINDS = (MEMORY, FILE, MOTO, SEAWEEDFS)
OBSTORE = "obstore"
AZURITE = "azurite"
"""Azure's protocol, for which obstore is the only engine."""
ENGINES = (*KINDS, f"{MOTO}+{OBSTORE}", f"{SEAWEEDFS}+{OBSTORE}")
"""The kinds with each of their engines."""
OTHER_SERVERS = (CEPH, f"{CEPH}+{OBSTORE}", MINISTACK, f"{MINISTACK}+{OBSTORE}")
"""Servers of S3's protocol that only the slow run has: they need programs that a fresh machine may lack."""
ON_AZURE = f"{AZURITE}+{OBSTORE}"
ON_SEAWEEDFS = (SEAWEEDFS, f"{SEAWEEDFS}+{OBSTORE}")
WITHOUT_SERVER = (MEMORY, FILE)
VERSIONED = (
    f"{MEMORY}/versioned",
    f"{MOTO}/versioned",
    f"{SEAWEEDFS}/versioned",
    f"{SEAWEEDFS}/versioned+{OBSTORE}",
)
"""Kinds with a bucket that keeps versions."""

on_every_kind = pytest.mark.parametrize("location", ENGINES, indirect=True)
"""For a test whose point involves the server, in a module that otherwise runs without one."""
without_server = pytest.mark.parametrize("location", WITHOUT_SERVER, indirect=True)
"""For a test that no server takes part in."""
versioned = pytest.mark.parametrize("location", VERSIONED, indirect=True)
"""For a test of a bucket that keeps versions."""
in_memory = pytest.mark.parametrize("location", [MEMORY], indirect=True)
"""For a test that no bucket takes part in."""

FIXTURES = Path(__file__).parent.parent / "fixtures"
SOURCE = Path(__file__).parent.parent.parent / "src"


@dataclass(frozen=True)
class Location:
    """A folder, or a prefix in a bucket.

    For a server ``raw`` is a plain boto3 client, or Azure's own client of the container.
    """

    kind: str
    root: Path
    endpoint_url: str = ""
    bucket: str = ""
    prefix: str = ""
    raw: Any = None
    engine: str = ""
    is_versioned: bool = False

    @property
    def cloud(self) -> Cloud:
        """The protocol of the server, if there is one."""
        return "az" if self.kind == AZURITE else "s3"

    @property
    def is_s3(self) -> bool:
        """Whether the server's protocol is S3, so that ``raw`` is boto3's client."""
        return self.raw is not None and self.cloud == "s3"

    def url(self, **options: str) -> str:
        """The URL of a store at this location."""
        if self.kind == FILE:
            return self.root.as_uri() + ("?" + urlencode(options) if options else "")
        if self.kind == MEMORY:
            return "memory://"
        return f"{self.cloud}://{self.bucket}/{self.prefix}?" + urlencode(
            {"endpoint_url": self.endpoint_url, **({"engine": self.engine} if self.engine else {}), **options}
        )

    def key(self, name: str) -> str:
        """The key, in the bucket or folder, of a name under this location's prefix."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def write(self, name: str, body: bytes) -> None:
        """Put an object without our code."""
        if self.kind == FILE:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        elif self.kind == AZURITE:
            self.raw.upload_blob(self.key(name), body, overwrite=True)
        else:
            self.raw.put_object(Bucket=self.bucket, Key=self.key(name), Body=body)

    def fill(self, names: Sequence[str], body: bytes = b"{}") -> None:
        """Put many objects of one body in the fastest way."""
        if self.kind == MOTO:
            backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
            for name in names:
                backend.put_object(self.bucket, self.key(name), body)
        elif self.kind == FILE:
            for name in names:
                self.write(name, body)
        else:
            client = self._fast_client()
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda name: obstore.put(client, self.key(name), body), names))

    def _fast_client(self) -> S3Store | AzureStore:
        """A client that takes a quarter of boto3's time for each request."""
        allowed = {"allow_http": True}
        if self.kind == AZURITE:
            account = os.environ["AZURE_STORAGE_ACCOUNT_NAME"]
            return AzureStore(self.bucket, endpoint=f"{self.endpoint_url}/{account}", client_options=allowed)
        return S3Store(self.bucket, endpoint=self.endpoint_url, client_options=allowed)

    def read(self, name: str) -> bytes:
        """The body of an object, read without our code."""
        if self.kind == FILE:
            return (self.root / name).read_bytes()
        if self.kind == AZURITE:
            return self.raw.download_blob(self.key(name)).readall()
        with self.raw.get_object(Bucket=self.bucket, Key=self.key(name))["Body"] as body:
            return body.read()

    def names(self) -> list[str]:
        """The names of all objects but the store's locks, listed without our code."""
        if self.kind == FILE:
            found = (
                path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()
            )
            return sorted(name for name in found if not name.startswith(".sessionbucket/locks/"))
        start = self.key("")
        if self.kind == AZURITE:
            keys: Iterable[str] = self.raw.list_blob_names(name_starts_with=start)
        else:
            keys = keys_under(self.raw, self.bucket, start)
        return sorted(key.removeprefix(start) for key in keys)


def keys_under(client: Any, bucket: str, prefix: str = "") -> Iterator[str]:
    """All keys of a bucket that start with the prefix."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for row in page.get("Contents", []):
            yield row["Key"]


def unique_name() -> str:
    """A unique name for a bucket or a prefix."""
    return f"t-{uuid4().hex[:20]}"


def environment() -> dict[str, str]:
    """The environment of a process that imports the package from this source tree."""
    return {**os.environ, "PYTHONPATH": str(SOURCE)}
