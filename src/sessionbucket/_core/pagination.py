"""Pages of a listing: cursors, limits, and the start of the next page."""

from __future__ import annotations

import base64
import binascii

from sessionbucket._core.arguments import check_integer, check_text
from sessionbucket._core.objects import ObjectPage
from sessionbucket.errors import InvalidArgumentError, shorten

_FORMAT = b"1:"


def encode_cursor(row: str) -> str:
    """The cursor of the page after this row."""
    return base64.urlsafe_b64encode(_FORMAT + row.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """The row in a cursor. Raises ``InvalidArgumentError`` for anything that is no cursor."""
    check_text("cursor", cursor)
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if raw.startswith(_FORMAT):
            return raw.removeprefix(_FORMAT).decode()
    except (binascii.Error, ValueError):
        pass
    raise InvalidArgumentError(
        f"cursor {shorten(cursor)} is refused: it must be the next_cursor of a page; start again without a cursor"
    )


def check_concurrency(concurrency: int) -> None:
    """Raises ``InvalidArgumentError`` for less than one call at a time."""
    check_integer("concurrency", concurrency, 1)


def check_limit(limit: int) -> None:
    """Raises ``InvalidArgumentError`` for a page limit below 1."""
    check_integer("limit", limit, 1)


def check_first(first: object) -> None:
    """Raises ``InvalidArgumentError`` for less than one byte of a body."""
    check_integer("first", first, 1)


def next_start(page: ObjectPage) -> str | None:
    """The ``start_after`` of the next page: the last object, not the last folder.

    Some servers (SeaweedFS) sort a folder by its name without the slash, so that objects listed after it may have lesser
    keys. A page that starts after the folder would repeat them. A repeated folder does no harm, since it is no session.
    """
    if page.next_start_after is None or not page.objects:
        return page.next_start_after
    return page.objects[-1].key
