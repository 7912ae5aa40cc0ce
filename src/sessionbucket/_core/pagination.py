"""What listings give: sessions by page, and the cursor between two pages."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sessionbucket.errors import InvalidArgumentError, shorten

_VERSION = b"1:"


class SessionInfo(NamedTuple):
    """A session as the listing alone tells it; its body was not read. A tuple, since listings make so many of them.

    ``size`` is in bytes. ``version`` is the ETag, or None where the listing does not have it (a folder). A backend
    that is no bucket may know only the id.
    """

    id: str
    size: int | None = None
    updated_at: datetime | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One page of sessions, and the cursor of the next or None when there is no more.

    A cursor is opaque, holds no secret, and works in any process and at any later time: the next page starts after
    the last session of this one, wherever sessions have come or gone since.
    """

    sessions: list[SessionInfo]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A large artifact as the listing tells it; ``size`` is in bytes."""

    name: str
    size: int
    updated_at: datetime
    version: str | None = None


def write_cursor(row: str) -> str:
    """The cursor of the page after this row."""
    return base64.urlsafe_b64encode(_VERSION + row.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """The row that a cursor stands for. Raises ``InvalidArgumentError`` for a text that is no cursor."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if raw.startswith(_VERSION):
            return raw.removeprefix(_VERSION).decode()
    except (binascii.Error, ValueError):
        pass
    raise InvalidArgumentError(
        f"cursor {shorten(cursor)} is refused: it is not one that list_page gave; start again without a cursor"
    )


def check_concurrency(concurrency: int) -> None:
    """Raises ``InvalidArgumentError`` for a number of calls at once below 1."""
    if concurrency < 1:
        raise InvalidArgumentError(f"concurrency {concurrency} is refused: it must be at least 1")


def check_limit(limit: int) -> None:
    """Raises ``InvalidArgumentError`` for a page limit below 1."""
    if limit < 1:
        raise InvalidArgumentError(f"limit {limit} is refused: a page has at least 1 session")
