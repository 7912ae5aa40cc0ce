"""Where a test's objects lie: a kind of bucket, and a place in it that no other test uses."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from sessionbucket._core.store_url import Cloud

MEMORY = "memory"
FILE = "file"
MOTO = "moto"
SEAWEEDFS = "seaweedfs"
KINDS = (MEMORY, FILE, MOTO, SEAWEEDFS)
OBSTORE = "obstore"
AZURITE = "azurite"
"""Azure's protocol, which obstore alone speaks."""
ENGINES = (*KINDS, f"{MOTO}+{OBSTORE}", f"{SEAWEEDFS}+{OBSTORE}")
"""The kinds, and those that another engine reaches, too."""
SHARED = (FILE, MOTO, SEAWEEDFS)
"""The kinds that several processes can open."""

FIXTURES = Path(__file__).parent.parent / "fixtures"
SOURCE = Path(__file__).parent.parent.parent / "src"


@dataclass(frozen=True)
class Location:
    """A folder, or a prefix in a bucket; where there is a server, ``raw`` is a plain boto3 client, or Azure's own of the
    container."""

    kind: str
    root: Path
    endpoint_url: str = ""
    bucket: str = ""
    prefix: str = ""
    raw: Any = None
    engine: str = ""

    @property
    def cloud(self) -> Cloud:
        """Whose protocol the server speaks, if there is one."""
        return "az" if self.kind == AZURITE else "s3"

    @property
    def is_s3(self) -> bool:
        """Whether the server is one of S3, and ``raw`` boto3's."""
        return self.raw is not None and self.cloud == "s3"

    def url(self, **options: str) -> str:
        """The URL of a store here."""
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
        """Put an object by other means than ours."""
        if self.kind == FILE:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        elif self.kind == AZURITE:
            self.raw.upload_blob(self.key(name), body, overwrite=True)
        else:
            self.raw.put_object(Bucket=self.bucket, Key=self.key(name), Body=body)

    def fill(self, names: Sequence[str], body: bytes = b"{}") -> None:
        """Put many objects of one body, by the shortest way."""
        if self.kind == MOTO:
            backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
            for name in names:
                backend.put_object(self.bucket, self.key(name), body)
        elif self.kind == FILE:
            for name in names:
                self.write(name, body)
        else:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda name: self.write(name, body), names))

    def read(self, name: str) -> bytes:
        """The body of an object, read by other means than ours."""
        if self.kind == FILE:
            return (self.root / name).read_bytes()
        if self.kind == AZURITE:
            return self.raw.download_blob(self.key(name)).readall()
        with self.raw.get_object(Bucket=self.bucket, Key=self.key(name))["Body"] as body:
            return body.read()

    def names(self) -> list[str]:
        """Every object here but the store's own locks, found by other means than ours."""
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
    """A name for a bucket or a prefix that nobody else has."""
    return f"t-{uuid4().hex[:20]}"


def environment() -> dict[str, str]:
    """The environment for a process that imports the package from here."""
    return {**os.environ, "PYTHONPATH": str(SOURCE)}
