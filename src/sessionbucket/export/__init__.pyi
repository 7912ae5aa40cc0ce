from sessionbucket.export.planning import plan_export as plan_export
from sessionbucket.export.ranges import ExportedRange as ExportedRange
from sessionbucket.export.ranges import Exporter as Exporter
from sessionbucket.export.ranges import export_range as export_range
from sessionbucket.export.schemas import SCHEMA_VERSION as SCHEMA_VERSION
from sessionbucket.export.schemas import TABLES as TABLES
from sessionbucket.export.schemas import Column as Column

__all__ = ["SCHEMA_VERSION", "TABLES", "Column", "ExportedRange", "Exporter", "export_range", "plan_export"]
