"""The format of append logs: one document with a head line and an entry a line, and sealed segments beside it.

With the name ``folder/name``::

    folder/name.log             the head line, then one JSON line an entry: the newest entries
    folder/sealed/name/<id>     a segment: its own head line, then older entries; immutable, with a random id

The head line is ``{"format":1,"metadata":{…},"sealed":[["<id>",entries],…]}``; with unique entries also ``"recent":["<hash>",…]``, the
hashes of the keys of the newest segment's entries. The line of a segment is ``{"format":1,"entries":…}``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import uuid4

from sessionbucket._core.results import Document
from sessionbucket.errors import InvalidArgumentError, SessionCorruptedError, shorten

FORMAT = 1
SEAL_BYTES = 256 * 1024
"""Entries are sealed when those in the document have more bytes than this."""
SEGMENT_BYTES = SEAL_BYTES // 2
"""The most bytes of entries in a sealed segment, unless one entry is larger."""
HEAD_BYTES = 16 * 1024
"""A head line is usually shorter than this."""

SUFFIX = ".log"
_SEALED = "sealed"
_SEGMENT_KEY = re.compile(rf"(?P<folder>(?:.*/)?){_SEALED}/(?P<name>[^/]+)/(?P<id>[0-9a-f]{{32}})")
_HASH_DIGITS = 16

Metadata = dict[str, Any]


def log_key(name: str) -> str:
    """The key of a log's document. Raises ``InvalidArgumentError`` for a name that is empty or ends in ``/``."""
    if not isinstance(name, str):
        raise InvalidArgumentError(f"the name of a log is {type(name).__name__} and must be a string")
    if not name or name.endswith("/"):
        raise InvalidArgumentError(f"log name {shorten(name)} is refused: it must not be empty or end in '/'")
    return name + SUFFIX


def segment_folder(name: str) -> str:
    """The prefix of the keys of a log's segments. Below it there may also be logs, whose keys end in ``.log``."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{_SEALED}/{last}/"


def log_of_segment(key: str) -> tuple[str, str] | None:
    """The name of the log to which a sealed segment belongs, and the segment's id; None when the key is no segment's."""
    found = _SEGMENT_KEY.fullmatch(key)
    return (f"{found['folder']}{found['name']}", found["id"]) if found else None


def new_segment_id() -> str:
    """A random id: of two writers that seal the same entries, each writes a segment of its own."""
    return uuid4().hex


class Segment(NamedTuple):
    """A sealed segment: its id, and the number of its entries."""

    id: str
    entries: int


@dataclass(frozen=True, slots=True)
class LogState:
    """The contents of a log's document. ``tail`` has the entries that are not sealed, one line each."""

    metadata: Metadata
    sealed: tuple[Segment, ...] = ()
    recent: tuple[str, ...] = ()
    tail: bytes = b""

    @property
    def sealed_entries(self) -> int:
        return sum(segment.entries for segment in self.sealed)

    @property
    def length(self) -> int:
        """The number of all entries."""
        return self.sealed_entries + self.tail.count(b"\n")

    def segments_of_last(self, entries: int | None) -> tuple[Segment, ...]:
        """The newest segments that have the last entries, together with the document; all of them for None."""
        if entries is None:
            return self.sealed
        missing = entries - self.tail.count(b"\n")
        first = len(self.sealed)
        while missing > 0 and first:
            first -= 1
            missing -= self.sealed[first].entries
        return self.sealed[first:]

    def segments_of_range(self, start: int, stop: int) -> list[tuple[Segment, int, int]]:
        """The segments with entries of a range, each with the range in it."""
        found, first = [], 0
        for segment in self.sealed:
            end = first + segment.entries
            if max(start, first) < min(stop, end):
                found.append((segment, max(start, first) - first, min(stop, end) - first))
            first = end
        return found

    def body(self) -> bytes:
        """The document."""
        head: dict[str, Any] = {"format": FORMAT, "metadata": self.metadata, "sealed": self.sealed}
        if self.recent:
            head["recent"] = self.recent
        return encode_line(head, "the metadata of a log") + self.tail

    def with_metadata(self, metadata: Any) -> LogState:
        """The state with other metadata. Raises ``InvalidArgumentError`` unless they are a dictionary."""
        if not isinstance(metadata, dict):
            raise InvalidArgumentError(
                f"the metadata of a log are {type(metadata).__name__} and must be a dictionary; nothing was written"
            )
        return replace(self, metadata=metadata)

    def without_repeated(self, entries: Sequence[Any], unique: str, key: str) -> list[Any]:
        """The entries whose member ``unique`` is not in the document, the newest segment, or an earlier one of these entries.

        Raises ``SessionCorruptedError`` with ``key`` for a damaged line.
        """
        known = set(self.recent)
        texts = {_unique_text(entry, unique) for entry in entries} - {None}
        if any(text in self.tail for text in texts if text is not None):
            known |= unique_hashes(decode_lines(self.tail, key), unique)
        new = []
        for entry in entries:
            text = _unique_text(entry, unique)
            if text is None or (hashed := _hash(text)) not in known:
                new.append(entry)
                if text is not None:
                    known.add(hashed)
        return new


def decode_log(document: Document, key: str) -> LogState:
    """The state in a document, with ``key`` for messages.

    Raises ``SessionCorruptedError`` for a damaged head line, an incomplete last line, and a format that this release does not read.
    """
    head, tail = _split_head(document.body, key)
    if tail and not tail.endswith(b"\n"):
        raise SessionCorruptedError(key, "its last line is incomplete")
    return replace(_state_of(head, key), tail=tail)


def decode_metadata(document: Document, key: str) -> Metadata | None:
    """The metadata in the first bytes of a document, or None when the head line is longer. Raises ``SessionCorruptedError``."""
    head = decode_head(document, key)
    return head.metadata if head else None


def decode_head(document: Document, key: str) -> LogState | None:
    """The state in the first bytes of a document, without entries, or None when the head line is longer.

    Raises ``SessionCorruptedError``.
    """
    if b"\n" not in document.body and len(document.body) < document.size:
        return None
    return _state_of(_split_head(document.body, key)[0], key)


def encode_segment_body(lines: bytes) -> bytes:
    """The body of a sealed segment with these lines."""
    return encode_line({"format": FORMAT, "entries": lines.count(b"\n")}, "a segment") + lines


def decode_segment_body(body: bytes, segment: Segment, key: str) -> bytes:
    """The lines of a sealed segment. Raises ``SessionCorruptedError``, also when it has not as many entries as the log names."""
    head, lines = _split_head(body, key)
    found = lines.count(b"\n")
    if head.get("entries") != segment.entries or found != segment.entries or not lines.endswith(b"\n"):
        raise SessionCorruptedError(key, f"it has {found} entries, and its log names {segment.entries}")
    return lines


def encode_line(value: Any, what: str) -> bytes:
    """One line of JSON. Raises ``InvalidArgumentError`` for a value that JSON cannot hold."""
    try:
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:  # a lone surrogate, which only an escape can hold
            text = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(
            f"{what} cannot be written as JSON: {error}; nothing was written"
        ) from error
    return text + b"\n"


def encode_lines(entries: Sequence[Any]) -> list[bytes]:
    """One line for each entry. Raises ``InvalidArgumentError``."""
    return [encode_line(entry, f"entry {number} of these") for number, entry in enumerate(entries)]


def decode_lines(lines: bytes, key: str) -> list[Any]:
    """The entries in the lines of a document or segment. Raises ``SessionCorruptedError`` with the number of a damaged line."""
    entries = []
    for number, line in enumerate(lines.split(b"\n")[:-1], 2):
        try:
            entries.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise SessionCorruptedError(key, f"line {number} is not JSON") from error
    return entries


def decode_segment_range(body: bytes | None, segment: Segment, key: str, start: int, stop: int) -> list[Any]:
    """The entries of a range in a segment, or a ``SessionCorruptedError`` in the place of each that cannot be read.

    ``body`` is None for a segment that does not exist.
    """
    if body is None:
        return [SessionCorruptedError(key, "it does not exist, and its log names it")] * (stop - start)
    try:
        lines = decode_segment_body(body, segment, key)
    except SessionCorruptedError as error:
        return [error] * (stop - start)
    return decode_each_line(split_lines(lines)[start:stop], key, start)


def decode_each_line(lines: Sequence[bytes], key: str, first: int) -> list[Any]:
    """The entries in these lines, or a ``SessionCorruptedError`` in the place of each damaged one; ``first`` lines are before them."""
    entries: list[Any] = []
    for number, line in enumerate(lines, first):
        try:
            entries += decode_lines(line, key)
        except SessionCorruptedError:
            entries.append(SessionCorruptedError(key, f"line {number + 2} is not JSON"))
    return entries


def split_lines(lines: bytes) -> list[bytes]:
    """The lines, each with its end."""
    return [line + b"\n" for line in lines.split(b"\n")[:-1]]


def first_segment(lines: bytes) -> bytes:
    """The lines of the oldest segment to seal. The same first lines give the same segment, whatever lines follow."""
    return lines[: lines.rfind(b"\n", 0, SEGMENT_BYTES) + 1 or lines.index(b"\n") + 1]


def unique_hashes(entries: Sequence[Any], unique: str) -> set[str]:
    """The hashes of the members ``unique`` of these entries."""
    texts = (_unique_text(entry, unique) for entry in entries)
    return {_hash(text) for text in texts if text is not None}


def _unique_text(entry: Any, unique: str) -> bytes | None:
    value = entry.get(unique) if isinstance(entry, dict) else None
    return None if value is None else encode_line(value, f"the member {unique!r} of an entry")[:-1]


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:_HASH_DIGITS]


def _split_head(body: bytes, key: str) -> tuple[dict[str, Any], bytes]:
    line, end, rest = body.partition(b"\n")
    try:
        head = json.loads(line) if end else None
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or "format" not in head:
        raise SessionCorruptedError(key, "line 1 is not the head line of an append log")
    if head["format"] != FORMAT:
        raise SessionCorruptedError(
            key,
            f"its format is {shorten(str(head['format']))}, and this release reads format {FORMAT}; use a later release of "
            "sessionbucket",
        )
    return head, rest


def _state_of(head: dict[str, Any], key: str) -> LogState:
    match head:
        case {"metadata": dict(metadata), "sealed": list(sealed)}:
            segments = tuple(_segment_of(row, key) for row in sealed)
            recent = head.get("recent", [])
            if isinstance(recent, list) and all(isinstance(each, str) for each in recent):
                return LogState(metadata, segments, tuple(recent))
    raise SessionCorruptedError(key, "its head line lacks a member, or has one of another type")


def _segment_of(row: Any, key: str) -> Segment:
    match row:
        case [str(id), int(entries)] if id.isalnum() and entries > 0:
            return Segment(id, entries)
    raise SessionCorruptedError(key, "its head line names a segment that cannot be one")
