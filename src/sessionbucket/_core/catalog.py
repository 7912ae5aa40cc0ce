"""The catalog: summaries by the versions that a listing shows, in shards.

A shard is gzipped text, one JSON value a line: a head with the format and the summariser's fingerprint, then rows
``[stem, token, summary]`` with the encoded id, the ETag and the stored fields of a summary. A row counts only where its token is that
of the listing, so a catalog cannot be wrong: a missing, outdated or damaged one costs requests. Folders list no ETags: there the token
is the size and the time of the last change.

A row in memory stays text until the listing reaches its session, since the objects of a whole shard take longer to make and more memory.

A shard holds the sessions from its name up to that of the next shard, in the order of their keys. The first shard also holds those
before it.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from json import JSONDecoder, JSONEncoder
from typing import TYPE_CHECKING

from sessionbucket._core.keys import SUFFIX
from sessionbucket._core.objects import ObjectInfo
from sessionbucket._core.summary import SessionSummary, SummaryRow
from sessionbucket.errors import shorten

if TYPE_CHECKING:
    from pydantic import TypeAdapter

CATALOG_SUFFIX = ".jsonl.gz"
ROWS_A_SHARD = 20_000
MOST_ROWS = 2 * ROWS_A_SHARD
_FORMAT = 1
_SETTLED = timedelta(seconds=2)
_GZIP = 31  # zlib's number for gzip with a window of 32 KiB
_FASTEST = 1
_LARGEST = 256 << 20
_encode = JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode_at = JSONDecoder().raw_decode


def new_row(stem: str, token: str, summary: SessionSummary) -> str:
    """The row of a session, as text."""
    return _encode((stem, token, summary[:-1]))


def summary_in(row: str, stem: str, token: str | None) -> SessionSummary | None:
    """The summary in a row. None if the row has another token, or is damaged."""
    start = f"[{_encode(stem)},{_encode(token)},"
    if not (row.startswith(start) and row.endswith("]")):
        return None
    try:
        return SessionSummary._make((*_adapter().validate_json(row[len(start) : -1]), None))
    except ValueError:
        return None


def token_of(info: ObjectInfo, now: datetime | None) -> str | None:
    """The token of an object. ``now`` is the time of the listing of a folder, and None for a bucket.

    None for an object without a reliable token: a file that was changed just now may be changed again without a trace.
    """
    if now is None:
        return info.version
    if now - info.updated_at < _SETTLED:
        return None
    return f"{info.size} {info.updated_at.timestamp():.6f}"


def local_now() -> datetime:
    """The time by the clock that also dates the files of a folder."""
    return datetime.now(UTC)


def encode_shard(fingerprint: str, rows: Iterable[str]) -> bytes:
    """The body of a shard with these rows."""
    packer = zlib.compressobj(_FASTEST, wbits=_GZIP)
    text = "\n".join([_head(fingerprint), *rows])
    return packer.compress(text.encode()) + packer.flush()


def decode_shard(body: bytes, fingerprint: str) -> dict[str, str]:
    """The rows of a shard by stem. A shard that is damaged, or of another format or summariser, has none."""
    try:
        unpacker = zlib.decompressobj(_GZIP)
        head, *rows = unpacker.decompress(body, _LARGEST).decode().split("\n")
        if not unpacker.eof or head != _head(fingerprint):
            return {}
        return {_stem(row): row for row in rows}
    except (zlib.error, ValueError):
        return {}


def _stem(row: str) -> str:
    if not row.startswith('["'):
        raise ValueError(f"a row starts with {shorten(row)}")
    stem: str
    stem, _ = _decode_at(row, 1)
    return stem


def _head(fingerprint: str) -> str:
    return _encode([_FORMAT, fingerprint])


@cache
def _adapter() -> TypeAdapter[SummaryRow]:
    from pydantic import ConfigDict, TypeAdapter  # noqa: PLC0415 (a save needs none)

    return TypeAdapter(SummaryRow, config=ConfigDict(strict=True))


def place(stem: str) -> str:
    """The place of a session in the order of a listing: the end of its key."""
    return stem + SUFFIX


def shard_of(places: Sequence[str], place: str) -> int:
    """The position of the shard that holds the session at this place, given the places of the shards' names."""
    return max(0, bisect_right(places, place) - 1)


def shards_of(rows: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows in shards of a good size."""
    if len(rows) <= MOST_ROWS:
        return [dict(rows)]
    sorted_rows = list(rows.items())
    return [dict(sorted_rows[at : at + ROWS_A_SHARD]) for at in range(0, len(rows), ROWS_A_SHARD)]
