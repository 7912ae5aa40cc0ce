"""An Azurite server: Microsoft's emulator of Azure's blob storage, a program of Node."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient

from sessionbucket.testing.server_process import free_ports

PROGRAM = "azurite-blob"
INSTALLED = Path(__file__).parent.parent.parent / ".venv" / "azurite" / "node_modules" / ".bin" / PROGRAM
"""The program that ``make azurite`` installs."""
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key of its default account, from its documentation."""
_STARTUP_SECONDS = 120
_POLL_SECONDS = 0.05


def find_azurite() -> str | None:
    """The path of the program, or None when it is not installed."""
    return str(INSTALLED) if INSTALLED.exists() else shutil.which(PROGRAM)


class AzuriteServer:
    """A server on a free port, with its data in a temporary folder. It runs during the ``with`` block."""

    def __init__(self, program: str) -> None:
        self._program = program

    def __enter__(self) -> Self:
        (port,) = free_ports(1)
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self._data = tempfile.TemporaryDirectory(prefix="sessionbucket-azurite-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [
                self._program,
                "--blobPort",
                str(port),
                "--location",
                self._data.name,
                "--silent",
                "--skipApiVersionCheck",  # obstore may use a later version of the API
                "--loose",
                "--disableTelemetry",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.client = BlobServiceClient(
            f"{self.endpoint_url}/{ACCOUNT}",
            credential={"account_name": ACCOUNT, "account_key": KEY},
            retry_total=0,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _STARTUP_SECONDS
        while True:
            try:
                self.client.get_service_properties()
            except AzureError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _stop(self) -> None:
        self.client.close()
        self._process.kill()
        self._process.wait()
        self._data.cleanup()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
