"""Server programs of tests: started on free ports of the loopback address, waited for, and stopped."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from sessionbucket.errors import StoreUnavailableError

GRPC_OFFSET = 10_000
# Below every system's ephemeral range (32,768 on Linux), also with the offset: an outgoing connection can take a port of that
# range between its choice here and the start of the server.
_LOWEST, _HIGHEST = 12_000, 22_000
_POLL_SECONDS = 0.05
_LOG_TAIL = 500


class ServerProcess:
    """A server program with its output in a log file."""

    def __init__(self, name: str, log: Path) -> None:
        self._name = name
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        is_ready: Callable[[], bool],
        seconds: float = 60.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the program in ``folder``, and wait until it is ready. ``environment`` replaces that of this process.

        Raises ``StoreUnavailableError`` with the end of its output when it ends or is not ready within ``seconds``.
        """
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (no shell)
                command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + seconds
        try:
            while not is_ready():
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise self._failed("did not start")  # noqa: TRY301 (the process must be stopped, too)
                time.sleep(_POLL_SECONDS)
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        """Wait until the program ends by itself, which only a fault makes it do. Raises ``StoreUnavailableError`` then."""
        if self._process is not None:
            self._process.wait()
        raise self._failed("ended by itself")

    def stop(self) -> None:
        """Kill the program, and wait for its end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _failed(self, how: str) -> StoreUnavailableError:
        output = self._log.read_text(errors="replace")[-_LOG_TAIL:]
        return StoreUnavailableError(f"{self._name} {how}: {output}", location="127.0.0.1")


def find_program(name: str) -> str | None:
    """The path of a program in this Python environment or on the PATH; None when it is not installed."""
    beside = Path(sysconfig.get_path("scripts"), name)
    return str(beside) if beside.exists() else shutil.which(name)


def free_ports(count: int, *, with_grpc: bool = False) -> list[int]:
    """``count`` free ports of the loopback address.

    ``with_grpc`` requires that each port + 10,000 is free as well, which SeaweedFS uses for gRPC.
    """
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = random.randrange(_LOWEST, _HIGHEST)  # noqa: S311 (no secret)
            if _hold(held, port) and (not with_grpc or _hold(held, port + GRPC_OFFSET)):
                found.append(port)
    return found


def is_free(port: int, *, with_grpc: bool = False) -> bool:
    """Whether the port of the loopback address is free, and ``with_grpc`` also its port + 10,000."""
    try:
        for each in (port, port + GRPC_OFFSET)[: 1 + with_grpc]:
            # Bound as a server does it: a port whose last connections are still closing is free.
            socket.create_server(("127.0.0.1", each)).close()
    except (OSError, OverflowError):
        return False
    return True


def _hold(held: ExitStack, port: int) -> bool:
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
