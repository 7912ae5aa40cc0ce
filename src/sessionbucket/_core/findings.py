"""What a check of a store finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """The kinds of findings."""

    CORRUPTED = "corrupted"
    """A session that can't be read, or whose inner id is another."""
    ORPHAN = "orphan"
    """A part whose session does not exist: of a save under way, or of one that was cut off."""
    LEFTOVER = "leftover"
    """A temporary file or a probe that something cut off left behind."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One key and what is wrong with it. Only what is ``removable`` is removed by ``repair``."""

    key: str
    problem: Problem
    detail: str
    removable: bool
