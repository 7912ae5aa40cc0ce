"""The two kinds of documents beside the tables: which ranges a destination has, and what each of them was made of."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from sessionbucket import DocumentStore, NotSupportedError, SessionRange, SessionStore
from sessionbucket.export.reading import Entry, ListedSession
from sessionbucket.export.schemas import SCHEMA_VERSION

MANIFESTS = "_manifest"
"""The folder of the documents. Engines leave out folders that begin with an underscore."""

RANGES = "ranges.json"
_FORMAT = 1
_NAME_LENGTH = 16
_NAMES = re.compile(rf"part-[0-9a-f]{{{_NAME_LENGTH}}}\.parquet|[0-9a-f]{{{_NAME_LENGTH}}}\.json")


def name_of(range: SessionRange) -> str:
    """The name of a range in the names of its files: equal ranges have equal names, in every run."""
    return sha256(json.dumps(range).encode()).hexdigest()[:_NAME_LENGTH]


def is_name(name: str) -> bool:
    """Whether a file has a name that a range can give it."""
    return _NAMES.fullmatch(name) is not None


def part_name(range: SessionRange) -> str:
    """The name of the file of a range in each table."""
    return f"part-{name_of(range)}.parquet"


def manifest_name(range: SessionRange) -> str:
    """The name of the manifest of a range."""
    return f"{name_of(range)}.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the parts of a range were made of.

    The parts are current as long as ``sessions`` are those that a listing shows, the other fields are those of the export, and the
    versions in ``parts`` are those of the files.
    """

    source: str
    range: SessionRange
    text: bool
    schema: int = SCHEMA_VERSION
    sessions: list[Entry] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)

    def describes(self, listed: list[ListedSession]) -> bool:
        """Whether the listing proves that the parts have exactly these sessions in these versions."""
        entries = [Entry(each.session.stem, each.session.token, each.traces) for each in listed]
        return self.sessions == entries and all(None not in entry for entry in entries)

    def body(self) -> bytes:
        return _encoded(asdict(self))


@dataclass(frozen=True, slots=True)
class Layout:
    """The ranges of a destination. ``asked`` is the number that the export was called with."""

    source: str
    prefix: str
    asked: int
    ranges: list[SessionRange]

    def body(self) -> bytes:
        return _encoded(asdict(self))


def read_manifest(documents: DocumentStore, range: SessionRange) -> Manifest | None:
    """The manifest of a range; None without one, or when it is damaged. Raises ``NotSupportedError`` for one of a later format."""
    value = _read(documents, manifest_name(range))
    try:
        return Manifest(
            value["source"],
            SessionRange(*value["range"]),
            value["text"],
            value["schema"],
            [Entry(*entry) for entry in value["sessions"]],
            dict(value["parts"]),
        )
    except (LookupError, TypeError, ValueError):
        return None


def read_layout(documents: DocumentStore) -> Layout | None:
    """The layout of a destination; None without one, or when it is damaged. Raises ``NotSupportedError`` for one of a later format."""
    value = _read(documents, RANGES)
    try:
        ranges = [SessionRange(*each) for each in value["ranges"]]
        return Layout(value["source"], value["prefix"], int(value["asked"]), ranges)
    except (LookupError, TypeError, ValueError):
        return None


def location_of(store: SessionStore) -> str:
    """The place of the sessions, as documents name it."""
    return f"{store.backend_name}:{store.location}"


def _encoded(value: dict[str, Any]) -> bytes:
    return json.dumps({"format": _FORMAT, **value}, separators=(",", ":")).encode()


def _read(documents: DocumentStore, name: str) -> Any:
    found = documents.get(name)
    try:
        value = json.loads(found.body) if found else None
    except ValueError:
        return None
    format = value.get("format") if isinstance(value, dict) else None
    if isinstance(format, int) and format > _FORMAT:
        raise NotSupportedError(
            f"{documents.location}/{name} has format {format}, and this release knows {_FORMAT}: use a newer release of sessionbucket, "
            "or another destination"
        )
    return value
