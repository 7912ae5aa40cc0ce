"""The Parquet files of a range, written row group by row group into temporary files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from types import ModuleType
from typing import IO, Any

from sessionbucket import NotSupportedError, StorageError
from sessionbucket.export.rows import Rows
from sessionbucket.export.schemas import SCHEMA_VERSION, TABLES, Column, Kind

_LEAST, _GREATEST = -(2**63), 2**63 - 1


def load_pyarrow() -> tuple[ModuleType, ModuleType]:
    """``pyarrow`` and its module for Parquet. Raises ``NotSupportedError`` without them."""
    try:
        import pyarrow as pa  # noqa: PLC0415 (an extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise NotSupportedError("an export needs pyarrow: install sessionbucket[parquet]") from error
    return pa, parquet


class Tables:
    """The files of all tables of one range. Rows are in memory until the next ``write_group``."""

    def __init__(self, stack: ExitStack, *, text: bool) -> None:
        arrow, parquet = load_pyarrow()
        self._arrow = arrow
        self._text = text
        self._schemas = {name: _schema(arrow, name) for name in TABLES}
        self._rows: Rows = {name: [] for name in TABLES}
        self._files: dict[str, IO[bytes]] = {}
        for name in TABLES:
            self._files[name] = stack.enter_context(TemporaryFile())  # noqa: SIM115 (the stack closes it)
        self._writers = {
            name: stack.enter_context(parquet.ParquetWriter(file, self._schemas[name], compression="zstd"))
            for name, file in self._files.items()
        }

    def add(self, rows: Rows) -> None:
        """Add the rows of a session."""
        for name, added in rows.items():
            self._rows[name] += added

    def write_group(self) -> None:
        """Write the rows that were added since the last call, as one row group of each table."""
        for name, columns in TABLES.items():
            rows, self._rows[name] = self._rows[name], []
            if rows:
                arrays = [
                    self._array(column, values)
                    for column, values in zip(columns, zip(*rows, strict=True), strict=True)
                ]
                self._writers[name].write_table(self._arrow.table(arrays, schema=self._schemas[name]))

    def _array(self, column: Column, values: Iterable[Any]) -> Any:
        if column.is_text and not self._text:
            values = [None for _ in values]
        elif column.kind == "int":
            values = [None if value is None else max(_LEAST, min(value, _GREATEST)) for value in values]
        return self._arrow.array(values, type=_type(self._arrow, column.kind))

    def finish(self) -> Iterator[tuple[str, bytes]]:
        """Yield the name of each table and its whole file. Nothing can be added then."""
        self.write_group()
        for name, file in self._files.items():
            self._writers[name].close()
            file.seek(0)
            yield name, file.read()


@contextmanager
def open_tables(*, text: bool) -> Iterator[Tables]:
    """The tables of a range, with columns of texts or without. Their files have no names, so a killed process leaves none.

    Raises ``StorageError`` when a temporary file cannot be written.
    """
    try:
        with ExitStack() as stack:
            yield Tables(stack, text=text)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageError(
            f"the files of a range cannot be written ({reason}); free some space, or set TMPDIR to another folder",
            location="the folder of temporary files",
        ) from error


def _schema(arrow: Any, name: str) -> Any:
    fields = [
        arrow.field(column.name, _type(arrow, column.kind), metadata={"meaning": column.meaning})
        for column in TABLES[name]
    ]
    return arrow.schema(
        fields, metadata={"sessionbucket.table": name, "sessionbucket.schema": str(SCHEMA_VERSION)}
    )


def _type(arrow: Any, kind: Kind) -> Any:
    match kind:
        case "string":
            return arrow.string()
        case "strings":
            return arrow.list_(arrow.string())
        case "int":
            return arrow.int64()
        case "float":
            return arrow.float64()
        case "bool":
            return arrow.bool_()
        case "time":
            return arrow.timestamp("us", tz="UTC")
