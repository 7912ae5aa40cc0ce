"""The document of a lease, and when a lease has ended.

A lease has one document, a JSON object, that each acquisition, renewal and release replaces on the condition of the version before.
A release is a write, too, so tokens only rise while the document exists. The nonce makes each document differ from all others.

No clock of another machine is compared. A holder counts its time from before its request, by its own clocks. A reader takes a lease
over when it has seen the same document for the whole time of the lease, by its own monotonic clock. It also does so when the
clock that dates the document is past the end of the lease by a margin.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sessionbucket._core.arguments import check_text
from sessionbucket.errors import InvalidArgumentError, SessionCorruptedError

LARGEST_LEASE = 64 << 10
_FORMAT = 1
_LEAST_MARGIN = timedelta(seconds=5)
_LONGEST_POLL = 1.0
_POLLS_A_TTL = 10


@dataclass(frozen=True, slots=True)
class LeaseDocument:
    """The document of a lease. ``ttl`` is the time for which it is held, from its last write."""

    token: int
    owner: str
    ttl: timedelta
    held: bool
    nonce: str

    def encode(self) -> bytes:
        return json.dumps(
            {
                "format": _FORMAT,
                "token": self.token,
                "owner": self.owner,
                "ttl_seconds": self.ttl.total_seconds(),
                "held": self.held,
                "nonce": self.nonce,
            }
        ).encode()

    def has_ended(self, updated_at: datetime, now: datetime) -> bool:
        """Whether the lease has ended, when one clock dated the document and shows ``now``."""
        return now - updated_at > self.ttl + max(_LEAST_MARGIN, self.ttl / 4)


def new_document(token: int, owner: str, ttl: timedelta, *, held: bool = True) -> LeaseDocument:
    return LeaseDocument(token, owner, ttl, held, uuid4().hex)


def decode_lease(key: str, body: bytes) -> LeaseDocument:
    """The document at a key. Raises ``SessionCorruptedError`` for a body that is none, or of another format."""
    try:
        members: Any = json.loads(body)
        if members["format"] == _FORMAT:
            return LeaseDocument(
                int(members["token"]),
                str(members["owner"]),
                timedelta(seconds=float(members["ttl_seconds"])),
                bool(members["held"]),
                str(members["nonce"]),
            )
        problem = "it is a lease of a format that this release does not read"
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        problem = "it is no lease"
    raise SessionCorruptedError(key, problem)


class LocalDeadline:
    """The end of a lease by the clocks of its holder, counted from before its request.

    The monotonic clock of a suspended machine may stand still, and the wall clock of a machine may be set. So the earlier end counts.
    """

    def __init__(self, ttl: timedelta) -> None:
        self._seconds = ttl.total_seconds()
        self._monotonic = time.monotonic()
        self._wall = time.time()

    @property
    def remaining(self) -> timedelta:
        elapsed = max(time.monotonic() - self._monotonic, time.time() - self._wall)
        return timedelta(seconds=max(0.0, self._seconds - elapsed))


class LeaseWatch:
    """How long a reader has seen one document of a lease, by its own monotonic clock."""

    def __init__(self) -> None:
        self._nonce: str | None = None
        self._since = 0.0

    @property
    def has_begun(self) -> bool:
        return self._nonce is not None

    def is_over(self, current: LeaseDocument) -> bool:
        """Note the document that was just read. Returns whether it has been the current one for its whole time."""
        now = time.monotonic()
        if current.nonce != self._nonce:
            self._nonce, self._since = current.nonce, now
        return now - self._since >= current.ttl.total_seconds()


def poll_pause(ttl: timedelta, left: float) -> float:
    """Seconds until the next look at a lease that is held, when the caller waits for ``left`` more seconds."""
    return max(0.0, min(ttl.total_seconds() / _POLLS_A_TTL, _LONGEST_POLL, left))


def default_owner() -> str:
    """The name of this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def check_lease(ttl: object, wait: object, owner: object) -> None:
    """Raises ``InvalidArgumentError`` for bad arguments of a lease."""
    if not isinstance(ttl, timedelta) or ttl <= timedelta(0):
        raise InvalidArgumentError(
            f"ttl {ttl!r} is refused: it must be a positive timedelta, timedelta(minutes=1) for instance"
        )
    if not isinstance(wait, timedelta) or wait < timedelta(0):
        raise InvalidArgumentError(
            f"wait {wait!r} is refused: it must be a timedelta of at least 0, timedelta(seconds=20) for instance"
        )
    if owner is not None:
        check_text("owner", owner)
