"""Write ids: how a client finds out whether a write was done when its response was lost.

Every conditional write carries a write history in one metadata entry of the object: its own write id, then those of the
writes it builds on, newest first. When the version it builds on carries no history (another program wrote it), its
ETag takes the place of a write id. An unconditional write builds on nothing and starts a new history.

*mine* is the id of our write, and *base* is the newest entry of the version that it builds on. After our request got no
response, one HEAD shows the history of the current object. Each resolution is right because:

- *mine* is first: the current object is the one we wrote, since ids are drawn once from 122 random bits.
- *mine* is further back: another conditional write was accepted on top of ours, so ours had been accepted before.
- *base* is further back and *mine* is absent: another write built on *base*. Our request is conditional on *base*'s version.
  A replaced version does not return (except by equal bytes, see docs/consistency.md). So our request was not accepted
  and never will be, even if it is still on its way.
- *base* is first, or the key is absent and we were creating it: nothing has changed. Our request may still be on its
  way, so this resolves nothing. The client sends the same write with the same id again, and the condition prevents a second
  execution.
- neither: more writes than the history holds, an unconditional write, a delete, or a server that drops metadata.
  Nothing is resolved.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple
from uuid import uuid4

from sessionbucket._core.objects import ObjectInfo, metadata_entry

HISTORY_LENGTH = 16
"""How many write ids a history holds."""

HISTORY_ENTRY = "writes"  # letters only: some servers change the case or the separators of names


class WrittenVersion(NamedTuple):
    """A version with its write history: the outcome of one write, and the base of the next."""

    version: str
    history: tuple[str, ...]


class Resolution(Enum):
    """What one HEAD proves about a write whose response was lost."""

    WRITTEN = auto()
    BUILT_UPON = auto()
    NOT_WRITTEN = auto()
    UNCHANGED = auto()
    UNKNOWN = auto()


def new_write_history(base: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The history of a new write on top of ``base``, which is empty for a create and an unconditional write."""
    return (uuid4().hex, *base)[:HISTORY_LENGTH]


def history_metadata(history: tuple[str, ...]) -> dict[str, str]:
    """The metadata entry that holds the history: at most 544 bytes of the 2,048 that S3 allows."""
    return {HISTORY_ENTRY: " ".join(history)}


def written_version(info: ObjectInfo) -> WrittenVersion:
    """The version and write history of an object. Its ETag stands in for a history that is not there."""
    version = info.version or ""
    entry = info.metadata.get(HISTORY_ENTRY) or metadata_entry(info.metadata, HISTORY_ENTRY)
    return WrittenVersion(version, tuple(entry.split()) if entry else (version.strip('"'),))


def resolve_outcome(mine: str, base: str | None, found: ObjectInfo | None) -> Resolution:
    """What the object found by a HEAD proves about the write *mine* on top of *base* (None for a create)."""
    if found is None:
        return Resolution.UNCHANGED if base is None else Resolution.UNKNOWN
    newest, *older = written_version(found).history
    if newest == mine:
        return Resolution.WRITTEN
    if mine in older:
        return Resolution.BUILT_UPON
    if base is not None and base == newest:
        return Resolution.UNCHANGED
    if base is not None and base in older:
        return Resolution.NOT_WRITTEN
    return Resolution.UNKNOWN
