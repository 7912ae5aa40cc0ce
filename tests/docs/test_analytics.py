"""The page on analytics: its DDL is the schema, and its programs for engines run twice on SeaweedFS."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from docs.pages import DOCS, blocks_of, program_of
from docs.test_snippets import run_twice
from sessionbucket.export import TABLES

PAGE = DOCS / "how-to" / "analytics.md"
ENGINES = {"dask": 'if __name__ == "__main__":', "ray": "ray.init(", "pyspark": "SparkSession.builder"}
TYPES = {
    "string": "string",
    "strings": "array<string>",
    "int": "bigint",
    "float": "double",
    "bool": "boolean",
    "time": "timestamp",
}


def test_the_tables_of_athena_have_the_columns_of_the_schema():
    (ddl,) = blocks_of(PAGE, "sql")
    found = re.findall(r"CREATE EXTERNAL TABLE (\w+) \((.*?)\n\) STORED", ddl, flags=re.DOTALL)
    assert {name: " ".join(columns.split()) for name, columns in found} == {
        name: ", ".join(f"{column.name} {TYPES[column.kind]}" for column in columns)
        for name, columns in TABLES.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_the_program_of_an_engine_runs_twice(engine: str, tmp_path: Path, environment: dict[str, str]):
    for needed in (engine, "pyarrow", "duckdb"):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    if engine == "pyspark" and shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    (program,) = [block for block in blocks_of(PAGE, "py") if ENGINES[engine] in block]
    (tmp_path / "sessions").mkdir()
    run_twice(program_of(PAGE), tmp_path / "sessions", environment)
    run_twice(
        program,
        tmp_path,
        environment | {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
