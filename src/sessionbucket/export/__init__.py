"""Export of sessions to Parquet files (extra ``parquet``), by one process or by many: docs/how-to/analytics.md."""

from __future__ import annotations

from sessionbucket._lazy_names import lazy_names

__all__ = ["SCHEMA_VERSION", "TABLES", "Column", "ExportedRange", "Exporter", "export_range", "plan_export"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "planning": ("plan_export",),
        "ranges": ("ExportedRange", "Exporter", "export_range"),
        "schemas": ("SCHEMA_VERSION", "TABLES", "Column"),
    },
)
