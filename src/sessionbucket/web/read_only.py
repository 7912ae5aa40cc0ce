"""A bucket that only reads, so that no mistake of the viewer can change a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sessionbucket import BucketCall, BucketWrapper, NotSupportedError

T = TypeVar("T")

_READS = frozenset(
    {
        "get",
        "head",
        "exists",
        "list_page",
        "get_stream",
        "temporary_objects",
        "keeps_versions",
        "list_versions",
        "get_version",
    }
)


class ReadOnlyBucket(BucketWrapper):
    """Passes on what reads, and refuses every other request before it is sent, those of later releases included."""

    def request(self, call: BucketCall, send: Callable[[], T]) -> T:
        """Send a request that reads. Raises ``NotSupportedError`` for any other."""
        if call.operation not in _READS:
            raise NotSupportedError(
                f"{call.operation} is refused: the viewer opens a store for reading only; nothing was written"
            )
        return send()
