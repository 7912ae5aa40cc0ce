"""Write ids: how a writer whose answer was lost finds out what became of its write.

Every conditional save carries, in one entry of the object's user metadata, the id of this write and then the ids of
the writes it builds on, newest first. Where the version built on carries none (another program wrote it), its ETag stands
in place of an id. An unconditional save builds on nothing and starts a new chain.

Say *mine* is the id of our write and *base* the newest entry of the version it was built on, and that one HEAD, sent
after our request had no answer, shows the chain *C* of what is there now. Why each verdict is right:

- *mine* is first in *C*: what is there is what we wrote, since ids are drawn once from 122 random bits.
- *mine* is further back: someone's conditional write was accepted on top of ours, so ours had been accepted before.
- *base* is further back and *mine* is not in *C*: someone else built on *base*. Our request's condition was *base*'s
  version, and a version that has been replaced does not come back (but by equal bytes, see docs/consistency.md), so our
  request was not accepted before and never will be, even if it is still under way.
- *base* is first, or nothing is there and we were creating: nothing has changed. Our request may still be under way, so this is no
  verdict; the same write, with the same id, is sent again, and its condition keeps it from being done twice.
- neither: too many writes since, an overwrite, a delete, or a server that drops metadata. No verdict is given.
"""

from __future__ import annotations

from enum import Enum, auto
from uuid import uuid4

from sessionbucket._core.objects import ObjectInfo

LENGTH = 16
"""How many writes a chain remembers."""

_ENTRY = "writes"  # letters only: some servers change the case of names, or their separators


class Verdict(Enum):
    """What one HEAD tells of a write that had no answer."""

    WRITTEN = auto()
    BUILT_UPON = auto()
    NOT_WRITTEN = auto()
    UNCHANGED = auto()
    UNKNOWN = auto()


def new_chain(base: tuple[str, ...]) -> tuple[str, ...]:
    """The chain of a new write on top of the chain of what it builds on (empty for a create or an overwrite)."""
    return (uuid4().hex, *base)[:LENGTH]


def to_metadata(chain: tuple[str, ...]) -> dict[str, str]:
    """The metadata entry that carries the chain; at most 544 bytes of the 2,048 that S3 allows."""
    return {_ENTRY: " ".join(chain)}


def chain_of(info: ObjectInfo) -> tuple[str, ...]:
    """The chain of an object as it was read; its ETag alone, where it carries none."""
    entry = next((value for name, value in info.metadata.items() if name.lower() == _ENTRY), "")
    return tuple(entry.split()) or ((info.version or "").strip('"'),)


def judge(mine: str, base: str | None, found: ObjectInfo | None) -> Verdict:
    """The verdict on the write *mine*, built on *base* (None for a create), from what a HEAD found."""
    if found is None:
        return Verdict.UNCHANGED if base is None else Verdict.UNKNOWN
    newest, *older = chain_of(found)
    if newest == mine:
        return Verdict.WRITTEN
    if mine in older:
        return Verdict.BUILT_UPON
    if base is not None and base == newest:
        return Verdict.UNCHANGED
    if base is not None and base in older:
        return Verdict.NOT_WRITTEN
    return Verdict.UNKNOWN
