"""Ports for servers of the test's own."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

GRPC_OFFSET = 10_000
# Below every system's ephemeral range (32,768 on Linux), also with the offset: a port of that range can be taken by any
# outgoing connection between its choice here and the server's start.
_LOWEST, _HIGHEST = 12_000, 22_000


def free_ports(count: int, *, with_grpc: bool = False) -> list[int]:
    """``count`` ports on the loopback address that nobody listens on.

    ``with_grpc`` asks that each has its port + 10,000 free as well, which SeaweedFS takes for gRPC.
    """
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = random.randrange(_LOWEST, _HIGHEST)  # noqa: S311 (no secret)
            if _hold(held, port) and (not with_grpc or _hold(held, port + GRPC_OFFSET)):
                found.append(port)
    return found


def is_free(port: int, *, with_grpc: bool = False) -> bool:
    """Whether nobody listens on the port of the loopback address, nor, ``with_grpc``, on its port + 10,000."""
    try:
        for each in (port, port + GRPC_OFFSET)[: 1 + with_grpc]:
            # A server's own way to bind: a port whose last connections are still being closed is free.
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
