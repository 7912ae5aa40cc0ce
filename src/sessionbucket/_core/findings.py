"""The findings of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """The kinds of findings."""

    CORRUPTED = "corrupted"
    """A session that cannot be read, or that contains another id."""
    ORPHAN = "orphan"
    """A part without a session, or a sealed segment that its log does not name: a write is not finished, or was interrupted."""
    STALE = "stale"
    """A temporary object of an interrupted write or probe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A key and its problem. ``repair`` removes only ``removable`` findings.

    ``upload_id`` is that of an unfinished upload to the key. ``repair`` aborts that upload, and leaves the object at the key alone.
    """

    key: str
    problem: Problem
    detail: str
    removable: bool
    upload_id: str | None = None
