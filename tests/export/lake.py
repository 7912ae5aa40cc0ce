"""A store and a destination in memory, and what is in the destination."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pyarrow import parquet

from conformance.locations import unique_name
from sessionbucket import MemoryBucket, SessionStore, open_store
from sessionbucket.export import TABLES, ExportedRange, export_range, plan_export

Tables = dict[str, list[dict[str, Any]]]


class Lake:
    """A store at ``url`` and a destination at ``out``, by default in memory."""

    def __init__(self, url: str = "", out: str = "", **options: Any) -> None:
        """``options`` are those of ``export_range``."""
        self.url = url or f"memory://{unique_name()}/agents"
        self.out = out or f"memory://{unique_name()}"
        self.options = options

    @cached_property
    def store(self) -> SessionStore:
        return open_store(self.url, encryption=self.options.get("encryption"))

    def export(self, **plan: Any) -> list[ExportedRange]:
        return [
            export_range(self.url, each, self.out, **self.options)
            for each in plan_export(self.url, self.out, **plan)
        ]

    def fresh(self, **plan: Any) -> Tables:
        """The tables of a full export to a new destination."""
        other = Lake(self.url, **self.options)
        other.export(**plan)
        return other.tables()

    def objects(self) -> dict[str, bytes]:
        """Every object at the destination, whichever bucket it is in."""
        with open_store(self.out) as store:
            start = store.documents("x").full_key("x").removesuffix("x/x")
            rows = store.bucket.list_page(start, limit=1000).objects
            bodies = {
                row.key.removeprefix(start): store.bucket.get(row.key, max_bytes=1 << 30) for row in rows
            }
        return {key: found.body for key, found in bodies.items() if found}

    def tables(self) -> Tables:
        """The rows of each table, sorted."""
        found: Tables = {table: [] for table in TABLES}
        for key, body in self.objects().items():
            if key.endswith(".parquet"):
                found[key.partition("/")[0]] += parquet.read_table(io.BytesIO(body)).to_pylist()
        for rows in found.values():
            rows.sort(key=lambda row: (row["session_id"], row.get("position")))
        return found

    def texts(self) -> Iterator[str]:
        """Everything at the destination as text, with the values and the metadata of compressed files."""
        for key, body in self.objects().items():
            yield key
            yield body.decode("latin-1")
            if key.endswith(".parquet"):
                file = parquet.ParquetFile(io.BytesIO(body))
                yield repr(file.read().to_pylist())
                groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
                yield repr([group.to_dict() for group in groups])

    def keeps(self, text: str) -> bool:
        return any(text in each for each in self.texts())


def memory_bucket(url: str) -> MemoryBucket:
    """The bucket of a URL of memory."""
    return MemoryBucket(url.removeprefix("memory://").partition("/")[0])
