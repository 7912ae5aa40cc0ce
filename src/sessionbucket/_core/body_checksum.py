"""Seals: how a reader knows that a text is, byte for byte, one that this package printed.

A seal is a metadata entry of the object: the rules that the text keeps, and the text's CRC-32. The rules numbered 1 are those
of ``codec`` on a write: no member named twice, no NaN and no infinities, at most 127 levels, no integer of more than
4,300 digits. A text under its seal needs no second look for these. One that was edited or written by another program
has no seal, or one that does not fit, and is looked at closely; so is every text in a folder, which keeps no metadata.

A seal guards against accidents, as a checksum does. Who may write objects can forge one, and so pass off a member named twice;
the last one then counts, as it does in free-form JSON.
"""

from __future__ import annotations

import zlib

from sessionbucket._core.objects import StoredObject

_ENTRY = "printed"  # letters only: some servers change the case of names, or their separators
_RULES = "1"


def to_metadata(body: bytes) -> dict[str, str]:
    """The metadata entry that seals a text the codec printed; of no other text may this be said."""
    return {_ENTRY: _seal(body)}


def is_sealed(found: StoredObject) -> bool:
    """Whether the object is what a codec printed, unchanged."""
    entry = _entry_of(found)
    return entry is not None and entry == _seal(found.body)


def has_seal(found: StoredObject) -> bool:
    """Whether the object was printed by a codec, whatever became of its body."""
    return _entry_of(found) is not None


def _entry_of(found: StoredObject) -> str | None:
    return next((value for name, value in found.info.metadata.items() if name.lower() == _ENTRY), None)


def _seal(body: bytes) -> str:
    return f"{_RULES} {zlib.crc32(body):08x}"
