"""Two listings side by side: the rows of the second one, found by the keys of the first one, page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_WAITING = 1000


class AsyncSecondListing(Generic[T]):
    """Rows of a listing, each taken by its key. The keys must come in the order of some server's listing.

    S3 lists in the order of the keys' bytes, and SeaweedFS in that of their segments. So a row is passed only when it comes before the
    key in both orders, and the few rows between the two wait in memory.
    """

    def __init__(self, rows: AsyncGenerator[tuple[str, T], None]) -> None:
        """``rows`` are the listing's rows with their keys."""
        self._rows = rows
        self._waiting: dict[str, T] = {}
        self._ahead: tuple[str, T] | None = None
        self._has_begun = False

    async def take(self, key: str) -> T | None:
        """The row with this key, or None. Keys that were taken, or that are before this one, cannot be taken later."""
        if not self._has_begun:
            self._has_begun = True
            self._ahead = await anext(self._rows, None)
        while self._ahead is not None and not _is_before(key, self._ahead[0]):
            self._waiting.setdefault(*self._ahead)
            self._ahead = await anext(self._rows, None)
        found = self._waiting.pop(key, None)
        if len(self._waiting) > _MOST_WAITING:
            self._waiting = {other: row for other, row in self._waiting.items() if not _is_before(other, key)}
        return found


def _is_before(one: str, other: str) -> bool:
    """Whether a key comes before the other one on every server."""
    first, second = one.encode(), other.encode()
    return first < second and first.split(b"/") < second.split(b"/")
