"""A Ceph cluster with an object gateway: one monitor, one OSD in memory, one RGW. Its programs are those of a Linux distribution."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import urlopen
from uuid import uuid4

import boto3

from sessionbucket.errors import StoreUnavailableError
from sessionbucket.testing.server_process import ServerProcess, free_ports

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
PACKAGES = "radosgw ceph-mon ceph-osd"
_SECONDS = 120
_ATTEMPTS = 3

_CONFIGURATION = """
[global]
fsid = {cluster}
mon host = [v1:127.0.0.1:{monitor}]
monmap = {folder}/monmap
auth cluster required = none
auth service required = none
auth client required = none
ms bind msgr2 = false
osd objectstore = memstore
memstore device bytes = 2147483648
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 0
run dir = {folder}/run
log to file = false
log to stderr = true
err to stderr = true
admin socket = {folder}/run/$name.$pid.asok
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
keyring = {folder}/keyring
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{gateway}
"""


def missing_programs() -> list[str]:
    """The programs of Ceph that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class CephServer:
    """A gateway on a free port, with a bucket ``sessions``. It runs during the ``with`` block."""

    def __enter__(self) -> Self:
        # Ceph's clients sometimes send a command before the monitor has named its cluster, and the monitor then refuses it.
        for attempts_left in reversed(range(_ATTEMPTS)):
            with ExitStack() as stack:
                try:
                    self._start_cluster(stack)
                except StoreUnavailableError:
                    if not attempts_left:
                        raise
                    continue
                self._stack = stack.pop_all()
                break
        client = boto3.client("s3", endpoint_url=self.endpoint_url)
        client.create_bucket(Bucket="sessions")
        client.close()
        return self

    def _start_cluster(self, stack: ExitStack) -> None:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="sb-ceph-", ignore_cleanup_errors=True))
        self._folder = Path(name)
        monitor, gateway = free_ports(2)
        self.endpoint_url = f"http://127.0.0.1:{gateway}"
        cluster, osd = str(uuid4()), str(uuid4())
        for folder in ("run", "mon", "osd", "rgw"):
            (self._folder / folder).mkdir()
        (self._folder / "keyring").touch()
        configuration = _CONFIGURATION.format(
            cluster=cluster, monitor=monitor, gateway=gateway, folder=self._folder
        )
        (self._folder / "ceph.conf").write_text(configuration)
        monmap = str(self._folder / "monmap")
        address = f"[v1:127.0.0.1:{monitor}]"
        self._run("monmaptool", "--create", "--fsid", cluster, "--addv", "a", address, monmap)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)
        self._start(stack, "ceph-mon", "-i", "a")
        self._run("ceph", "osd", "new", osd, "0")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._start(stack, "ceph-osd", "-i", "0", is_ready=self._is_osd_up)
        self._start(stack, "radosgw", "-n", "client.rgw", is_ready=self._is_ready)
        keys = (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
        user = (
            "--uid=sessions",
            "--display-name=sessions",
            f"--access-key={keys[0]}",
            f"--secret-key={keys[1]}",
        )
        self._run("radosgw-admin", "-n", "client.rgw", "user", "create", *user)

    def _command(self, program: str, words: Sequence[str]) -> list[str]:
        configured = ["-c", str(self._folder / "ceph.conf")]
        return [program, *([] if program == "monmaptool" else configured), *words]

    def _run(self, program: str, *words: str) -> str:
        command = self._command(program, words)
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        if ran.returncode:
            raise StoreUnavailableError(f"{command} failed: {ran.stderr}", location="127.0.0.1")
        return ran.stdout

    def _start(
        self, stack: ExitStack, program: str, *words: str, is_ready: Callable[[], bool] = lambda: True
    ) -> None:
        process = ServerProcess(program, self._folder / f"{program}.out")
        command = self._command(program, [*words, "-f"])
        process.start(command, folder=self._folder, is_ready=is_ready, seconds=_SECONDS)
        stack.callback(process.stop)

    def _is_osd_up(self) -> bool:
        try:
            state = json.loads(self._run("ceph", "osd", "stat", "--format", "json"))
        except StoreUnavailableError:
            return False
        return state["num_up_osds"] == 1

    def _is_ready(self) -> bool:
        try:
            urlopen(self.endpoint_url, timeout=5).close()
        except OSError:
            return False
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
