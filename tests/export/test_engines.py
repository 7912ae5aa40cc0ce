"""The same function under threads, Dask, Ray and Spark."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from conformance.samples import event_of, session_of
from export.lake import Lake
from sessionbucket.export import export_range, plan_export


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """A folder that every process reaches, and its export, which must equal one by this process alone."""
    lake = Lake((tmp_path / "store").as_uri(), (tmp_path / "lake").as_uri())
    for at in range(20):
        lake.store.save_turn(session_of(f"s{at}x"), trace_events=[event_of(f"e{at}")])
    yield lake
    assert lake.tables() == lake.fresh()


def test_threads(lake: Lake):
    planned = plan_export(lake.url, lake.out, ranges=4)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(partial(export_range, lake.url, out=lake.out), planned))
    assert [result.range for result in results] == planned
    assert sum(result.sessions for result in results) == 20
    assert pickle.loads(pickle.dumps(results)) == results


def test_dask(lake: Lake):
    bag = pytest.importorskip("dask.bag", reason="Dask is not installed")
    planned = plan_export(lake.url, lake.out, ranges=4)
    work = bag.from_sequence(planned, npartitions=2).map(partial(export_range, lake.url, out=lake.out))
    results = work.compute(scheduler="processes", num_workers=2)
    assert [result.outcome for result in results] == ["written"] * 4


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install ray")
def test_ray(lake: Lake):
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        export = ray.remote(export_range)
        planned = plan_export(lake.url, lake.out, ranges=4)
        results = ray.get([export.remote(lake.url, each, lake.out) for each in planned])
    finally:
        ray.shutdown()
    assert [result.outcome for result in results] == ["written"] * 4


@pytest.mark.slow
@pytest.mark.skipif(find_spec("pyspark") is None, reason="Spark is not installed: pip install pyspark")
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_spark(lake: Lake, monkeypatch: pytest.MonkeyPatch):
    from pyspark import sql

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    spark = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        url, out = lake.url, lake.out
        planned = plan_export(url, out, ranges=4)
        work = spark.sparkContext.parallelize(planned, len(planned))
        results = work.map(lambda each: export_range(url, each, out)).collect()
    finally:
        spark.stop()
    assert [result[1] for result in results] == ["written"] * 4
