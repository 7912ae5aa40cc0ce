"""Ports for servers of the test's own."""

from __future__ import annotations

import socket
from contextlib import ExitStack

_GRPC_OFFSET = 10_000
_HIGHEST = 65_535


def free_ports(count: int, *, with_grpc: bool = False) -> list[int]:
    """``count`` ports on the loopback address that nobody listens on.

    ``with_grpc`` asks that each has its port + 10,000 free as well, which SeaweedFS takes for gRPC.
    """
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = _bound(held, 0)
            if port is None:
                continue
            if with_grpc and (port + _GRPC_OFFSET > _HIGHEST or _bound(held, port + _GRPC_OFFSET) is None):
                continue
            found.append(port)
    return found


def _bound(held: ExitStack, port: int) -> int | None:
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        return None
    return int(listener.getsockname()[1])
