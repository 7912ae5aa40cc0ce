"""Which ranges an export has: they stay the same from run to run, and files of other ranges are deleted."""

from __future__ import annotations

import os

from sessionbucket import InvalidArgumentError, SessionRange, SessionStore, open_store
from sessionbucket.export.manifest import (
    MANIFESTS,
    RANGES,
    Layout,
    is_name,
    location_of,
    manifest_name,
    part_name,
    read_layout,
)
from sessionbucket.export.schemas import TABLES
from sessionbucket.export.tables import load_pyarrow

_RANGES = 16


def plan_export(
    url: str | os.PathLike[str], out: str | os.PathLike[str], *, ranges: int | None = None, prefix: str = ""
) -> list[SessionRange]:
    """Return the ranges to export, each by one call of ``export_range``, and delete the files of all other ranges.

    ``url`` is the store, and ``out`` the destination: any URL of a store, whose prefix becomes the folder of the tables. Only sessions
    whose ids start with ``prefix`` are exported.

    The destination remembers its ranges, so that later runs have the same. Another number of ``ranges`` splits the store anew, and so
    does a store that has outgrown its split; until the export is complete, the tables then lack rows. Without a number it is that of
    the last run, or 16. Call it in one process, before the workers start.

    Raises ``InvalidArgumentError`` for a number below 1, and for a destination with the export of another store or prefix;
    ``NotSupportedError`` without pyarrow; and the errors of a listing.
    """
    load_pyarrow()
    if ranges is not None and (not isinstance(ranges, int) or ranges < 1):
        raise InvalidArgumentError(f"ranges {ranges!r} is refused: it must be a number of at least 1")
    with open_store(url) as source, open_store(out) as destination:
        documents = destination.documents(MANIFESTS)
        before = read_layout(documents)
        place = location_of(source)
        if before is not None:
            _check_source(before, place, prefix, destination.location)
        layout = _layout(source, before, ranges, place, prefix)
        _delete_others(destination, layout.ranges)
        if layout != before:
            documents.put(RANGES, layout.body())
        return layout.ranges


def _check_source(before: Layout, place: str, prefix: str, out: str) -> None:
    if (before.source, before.prefix) != (place, prefix):
        raise InvalidArgumentError(
            f"the destination {out} has the export of {before.source} with the id prefix {before.prefix!r}, and this one is of "
            f"{place} with {prefix!r}: choose another destination, or delete {MANIFESTS}/{RANGES} there"
        )


def _layout(
    source: SessionStore, before: Layout | None, ranges: int | None, place: str, prefix: str
) -> Layout:
    asked = ranges or (before.asked if before else _RANGES)
    if before is not None and before.asked == asked and 2 * len(before.ranges) >= asked:
        return before
    return Layout(place, prefix, asked, source.ranges.split(asked, prefix=prefix))


def _delete_others(destination: SessionStore, ranges: list[SessionRange]) -> None:
    """Delete what belongs to no range: the manifests first, so that what is left after a kill does not count as exported."""
    manifests, parts = {manifest_name(each) for each in ranges}, {part_name(each) for each in ranges}
    for folder, names in ((MANIFESTS, manifests), *((table, parts) for table in TABLES)):
        documents = destination.documents(folder)
        others = [found.key for found in documents.list() if found.key not in names and is_name(found.key)]
        if others:
            documents.delete(others)
