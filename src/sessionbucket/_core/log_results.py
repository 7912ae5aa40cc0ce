"""The results of operations on append logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sessionbucket._core.results import Document


class LogInfo(NamedTuple):
    """An append log as a listing describes it.

    ``size`` is that of its document in bytes, without its sealed segments. ``version`` is None when the listing does not give it (a
    folder).
    """

    name: str
    size: int
    updated_at: datetime
    version: str | None = None


@dataclass(frozen=True, slots=True)
class LogHead:
    """An append log in one version: its name, its metadata, and the number of all its entries.

    Pass it as ``seen`` to the next change of the log, which then needs no read.
    """

    name: str
    metadata: dict[str, Any]
    length: int
    document: Document = field(repr=False)
    """The document, with the newest entries."""

    @property
    def version(self) -> str:
        """The ETag of the document, with its quotes."""
        return self.document.version


@dataclass(frozen=True, slots=True)
class Log:
    """Entries of an append log, oldest first, and its head."""

    head: LogHead
    entries: list[Any]

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of the log."""
        return self.head.metadata


@dataclass(slots=True)
class LogDraft:
    """An append log while ``edit`` changes it: change ``metadata`` and ``entries`` in place, or assign new ones.

    ``entries`` has the last entries of the log, and ``start`` is the position of the first of them in the whole log. ``exists`` is
    False for a log that does not exist; then both are empty.
    """

    metadata: dict[str, Any]
    entries: list[Any]
    start: int
    exists: bool
