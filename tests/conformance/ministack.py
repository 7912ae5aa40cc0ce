"""A ministack server: an emulator of AWS, of which the tests use S3. ``make ministack`` installs it into an environment of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import urlopen

import boto3

from sessionbucket.testing.server_process import ServerProcess, free_ports

PROGRAM = "ministack"
INSTALLED = Path(__file__).parent.parent.parent / ".venv" / PROGRAM / "bin" / PROGRAM
"""The program that ``make ministack`` installs."""
_SECONDS = 60


def find_ministack() -> str | None:
    """The path of the program, or None when it is not installed."""
    return str(INSTALLED) if INSTALLED.exists() else shutil.which(PROGRAM)


class MinistackServer:
    """A server on a free port, with a bucket ``sessions`` and its data in memory. It runs during the ``with`` block."""

    def __init__(self, program: str) -> None:
        self._program = program

    def __enter__(self) -> Self:
        (port,) = free_ports(1)
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self._folder = tempfile.TemporaryDirectory(prefix="sb-ministack-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self._process = ServerProcess(PROGRAM, folder / "ministack.log")
        self._process.start(
            [self._program],
            folder=folder,
            environment={**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "SERVICES": "s3"},
            is_ready=self._is_ready,
            seconds=_SECONDS,
        )
        client = boto3.client("s3", endpoint_url=self.endpoint_url)
        client.create_bucket(Bucket="sessions")
        client.close()
        return self

    def _is_ready(self) -> bool:
        try:
            urlopen(f"{self.endpoint_url}/_ministack/health", timeout=5).close()
        except OSError:
            return False
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()
        self._folder.cleanup()
