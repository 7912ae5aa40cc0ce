"""Body checksums: two metadata entries, one of the codec and one of the bucket.

The codec's entry (``printed``) proves that the codec printed this very text: the number of the rules that the text keeps, and
its CRC-32. Rules 1 are those of a write by the codec: no repeated member, no NaN or infinity, at most 127 levels, no integer
of more than 4,300 digits. A text with a matching entry needs no second look for these. A text without one, or with
one that does not match, was edited or written by another program: the codec reads it closely. So it does in a folder,
which keeps no metadata.

The bucket's entry (``crc32``) is the CRC-32 of the bytes as sent, after any wrapper has changed them. A bucket adds it to a put,
removes it from what it returns, and uses it to detect a body that was damaged on its way.

Both guard against accidents, as checksums do. A program that may write objects can forge them. A forged ``printed`` entry
can hide a repeated member, of which the last one counts, as in free-form JSON.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from sessionbucket._core.objects import StoredObject, metadata_entry

_CODEC_ENTRY = "printed"  # letters only: some servers change the case or the separators of names
_RULES = "1"
_BUCKET_ENTRY = "crc32"


def codec_checksum(body: bytes) -> dict[str, str]:
    """The codec's metadata entry for a text that it printed or read; never for any other text."""
    return {_CODEC_ENTRY: f"{_RULES} {zlib.crc32(body):08x}"}


def is_printed(found: StoredObject) -> bool:
    """Whether a codec printed this very text."""
    metadata = found.info.metadata
    entry = metadata.get(_CODEC_ENTRY) or metadata_entry(metadata, _CODEC_ENTRY)
    return entry is not None and entry == f"{_RULES} {zlib.crc32(found.body):08x}"


def with_bucket_checksum(metadata: Mapping[str, str], crc: int) -> dict[str, str]:
    """The metadata to send with a body of this CRC-32."""
    return {**metadata, _BUCKET_ENTRY: f"{crc:08x}"}


def split_bucket_checksum(metadata: Mapping[str, str]) -> tuple[dict[str, str], int | None]:
    """The received metadata without the bucket's entry, and the CRC-32 in it: None for no entry or an unreadable one."""
    rest: dict[str, str] = {}
    crc = None
    for name, value in metadata.items():
        if name.lower() != _BUCKET_ENTRY:
            rest[name] = value
            continue
        try:
            crc = int(value, 16)
        except ValueError:
            continue
    return rest, crc
