"""The export of one range. Every object is written whole, and the manifest that makes the parts count comes last."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Literal, NamedTuple, Self

from sessionbucket import KeyProvider, SessionRange, open_store
from sessionbucket.export.manifest import (
    MANIFESTS,
    Manifest,
    location_of,
    manifest_name,
    part_name,
    read_manifest,
)
from sessionbucket.export.reading import NO_PART, ListedSession, Reading, SessionReading
from sessionbucket.export.schemas import TABLES
from sessionbucket.export.tables import load_pyarrow, open_tables
from sessionbucket.models import AnySession

_READS = 16
_GROUP_BYTES = 16 << 20
_LARGEST_PART = 5 << 30
"""The most bytes that S3 takes in one request."""


class ExportedRange(NamedTuple):
    """The result of exporting a range.

    ``outcome`` is ``"unchanged"`` when the destination had all of it. ``sessions`` is the number of exported sessions. ``problems`` has
    the id of each session that could not be read whole, and the reason; the next export tries these again.
    """

    range: SessionRange
    outcome: Literal["written", "unchanged"]
    sessions: int
    problems: tuple[tuple[str, str], ...] = ()


class Exporter:
    """Exports ranges of one store to one destination, one after the other or in threads, over connections that stay open."""

    def __init__(
        self,
        url: str | os.PathLike[str],
        out: str | os.PathLike[str],
        *,
        text: bool = True,
        encryption: KeyProvider | None = None,
    ) -> None:
        """The arguments are those of ``export_range``. Raises ``NotSupportedError`` without pyarrow, and the errors of ``open_store``."""
        load_pyarrow()
        self._text = text
        self._source = open_store(url, encryption=encryption)
        self._others = open_store(url, model=AnySession, encryption=encryption)
        self._destination = open_store(out, max_bytes=_LARGEST_PART)
        self._manifests = self._destination.documents(MANIFESTS)

    def export(self, range: SessionRange) -> ExportedRange:
        """Export a range, as ``export_range`` does."""
        listed = list(self._listed(range))
        manifest = Manifest(location_of(self._source), range, self._text)
        if self._is_current(manifest, listed):
            return ExportedRange(range, "unchanged", len(listed))
        return self._write(manifest, listed)

    def _listed(self, range: SessionRange) -> Iterator[ListedSession]:
        traces = {part.stem: part.token for part in self._source.ranges.parts(range, "traces")}
        for session in self._source.ranges.sessions(range):
            yield ListedSession(session, traces.get(session.stem, NO_PART))

    def _is_current(self, manifest: Manifest, listed: list[ListedSession]) -> bool:
        """Whether the files at the destination are those of an export of the same sessions with the same options."""
        before = read_manifest(self._manifests, manifest.range)
        if before is None or replace(before, sessions=[], parts={}) != manifest:
            return False
        return (
            before.describes(listed)
            and before.parts.keys() == TABLES.keys()
            and all(self._has_part(table, manifest.range, version) for table, version in before.parts.items())
        )

    def _has_part(self, table: str, range: SessionRange, version: str) -> bool:
        """Whether the file is still the one that was written; in a folder, whether there is one."""
        name = part_name(range)
        found = self._destination.documents(table).list(name)
        return any(part.key == name and part.version in {version, None} for part in found)

    def _write(self, manifest: Manifest, listed: list[ListedSession]) -> ExportedRange:
        range, problems, sessions = manifest.range, [], 0
        with open_tables(text=self._text) as tables:
            pending = 0
            for found in _read_all(SessionReading(self._source, self._others), listed):
                if found.problem is not None:
                    problems.append((found.id, found.problem))
                if found.entry is not None:
                    manifest.sessions.append(found.entry)
                sessions += bool(found.rows)
                tables.add(found.rows)
                pending += found.size
                if pending >= _GROUP_BYTES:
                    tables.write_group()
                    pending = 0
            self._manifests.delete(manifest_name(range))
            for table, body in tables.finish():
                manifest.parts[table] = self._destination.documents(table).put(part_name(range), body).version
        self._manifests.put(manifest_name(range), manifest.body())
        return ExportedRange(range, "written", sessions, tuple(problems))

    def close(self) -> None:
        """Close all connections. The exporter may be used again afterwards."""
        for store in (self._source, self._others, self._destination):
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def export_range(
    url: str | os.PathLike[str],
    range: SessionRange,
    out: str | os.PathLike[str],
    *,
    text: bool = True,
    encryption: KeyProvider | None = None,
) -> ExportedRange:
    """Write the sessions of a range to its file in each table at ``out``, unless the files have exactly these sessions.

    It is a plain function, and its arguments and result can be pickled, so any engine may call it in any process. It opens the stores
    itself; an ``Exporter`` keeps them open for several ranges. ``range`` is one of ``plan_export``. Without ``text`` no text of messages,
    titles, reasoning, tool arguments and results is exported. ``encryption`` has the keys of the store at ``url``; the tables are not
    encrypted.

    It lists the range, and compares the listing with its manifest at the destination. If anything differs, it reads all sessions of
    the range, deletes the manifest, replaces each file by one PUT, and writes the manifest last. So an interrupted call can be repeated,
    by any process. Memory: the JSON of about 16 MiB of sessions as Python objects, 16 sessions that are being read, and the largest file.

    Raises ``NotSupportedError`` without pyarrow, and the errors of the storage, after which the range counts as not exported. A session
    that is corrupted or too large raises nothing: it is one of the ``problems``.
    """
    with Exporter(url, out, text=text, encryption=encryption) as exporter:
        return exporter.export(range)


def _read_all(reading: SessionReading, listed: Iterable[ListedSession]) -> Iterator[Reading]:
    """The sessions in order. Several are being read, or wait for the caller."""
    with ThreadPoolExecutor(_READS, thread_name_prefix="sessionbucket-export") as pool:
        running: deque[Future[Reading | None]] = deque()
        try:
            for each in listed:
                running.append(pool.submit(reading.read, each))
                if len(running) == _READS:
                    yield from _if_any(running.popleft())
            while running:
                yield from _if_any(running.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


def _if_any(read: Future[Reading | None]) -> Iterator[Reading]:
    found = read.result()
    if found is not None:
        yield found
