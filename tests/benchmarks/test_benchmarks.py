"""A run of the benchmarks: the command, the table, the JSON, the plots and the section of the README."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from filelock import FileLock

if os.environ.get("CI") != "true":
    pytest.importorskip("matplotlib", reason="matplotlib, of the groups dev and bench, is not installed")

from benchmarks import __main__ as command
from benchmarks import comparison, publishing
from benchmarks.counting_proxy import CountingProxy
from benchmarks.documents import document_of, session_of
from benchmarks.findings import CPU, ELAPSED, RATE, Cost, Findings, Setting
from benchmarks.measuring import Spread, race
from benchmarks.prices import dollars
from benchmarks.running import Run
from benchmarks.scenarios.integrations import LANGGRAPH, RESUME, SCENARIO, TURN, cost_of, operation_of
from benchmarks.servers import Server
from benchmarks.targets import TARGETS, measured_targets

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The JSON, plots and table of a quick run on moto. All workers of xdist share one run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "benchmarks"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _run_quickly(folder)
    return folder


def _run_quickly(folder: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "hot_path", "costs", "--quick", "--server", "moto"]
    ran = subprocess.run(
        [*command, "--json", str(folder / "found.json"), "--plots", str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (folder / "table.txt").write_text(ran.stdout)


@pytest.mark.slow
def test_the_table_shows_ratios_costs_and_targets(folder: Path):
    table = (folder / "table.txt").read_text()
    for expected in (
        "sessionbucket (boto3)",
        "bare boto3",
        "ratio (10",
        "dollars for a million",
        "not measured",
    ):
        assert expected in table


@pytest.mark.slow
def test_the_findings_contain_every_round_and_the_machine_without_its_names(folder: Path):
    found = json.loads((folder / "found.json").read_text())
    assert found["facts"]["quick"] is True
    assert found["facts"]["versions"]["boto3"]
    assert all(len(samples["values"]) == 3 for samples in found["samples"])
    assert {samples["case"] for samples in found["samples"]} == {5_000, 50_000}
    text = (folder / "found.json").read_text()
    assert os.uname().nodename not in text
    assert str(PROJECT) not in text


@pytest.mark.slow
def test_a_plot_is_drawn(folder: Path):
    assert (folder / "hot-path.svg").read_text().startswith("<?xml")


@pytest.mark.slow
def test_requests_are_counted_at_the_server(folder: Path):
    costs = Findings.read(folder / "found.json").costs
    ours = {cost.operation: cost for cost in costs if cost.subject == "sessionbucket (boto3)"}
    assert ours["load a session"].requests == {"GET": 1}
    assert ours["save a new session"].requests == {"PUT": 1}
    assert ours["update a session (load, change, save)"].requests == {"GET": 1, "PUT": 1}
    assert ours["save a new session"].dollars_per_million == pytest.approx(5.00)
    assert ours["load a session"].dollars_per_million == pytest.approx(0.40)


@pytest.mark.slow
def test_the_section_of_the_page_is_replaced(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = tmp_path / "benchmarks.md"
    page.write_text((PROJECT / "docs" / "benchmarks.md").read_text())
    monkeypatch.setattr(publishing, "PAGE", page)
    monkeypatch.setattr(publishing, "PLOTS", tmp_path / "plots")
    publishing.publish(Findings.read(folder / "found.json"))
    once = page.read_text()
    assert "A quick run, to show the form" in once
    assert "![CPU of a save and a load, by size](benchmarks/hot-path.svg)" in once
    assert "\n## Reading the plots\n" in once
    publishing.publish(Findings.read(folder / "found.json"))
    assert page.read_text() == once


@pytest.mark.parametrize("size", [5_000, 50_000])
def test_a_session_has_the_requested_size(size: int):
    session = session_of(size)
    text = json.dumps(document_of(session), indent=2, ensure_ascii=False)
    assert len(text.encode()) == pytest.approx(size, rel=0.01)


def test_contenders_run_in_turn_in_an_order_that_alternates():
    order: list[str] = []
    contenders = {name: lambda name=name: order.append(name) for name in "ab"}
    timings = race(contenders, rounds=2, calls=2)
    assert "".join(order) == "ab" + "aabb" + "bbaa"
    assert {name: len(rounds) for name, rounds in timings.items()} == {"a": 2, "b": 2}


def test_ratios_are_computed_for_each_round():
    findings = Findings({})
    findings.add_values(
        Setting("s", "o", "w", 1), CPU, {"ours": [2.0, 30.0, 8.0], "rival": [1.0, 10.0, 2.0]}, against="rival"
    )
    (ours,) = findings.find(subject="ours")
    assert findings.ratio(ours) == Spread.of([2.0, 3.0, 4.0])
    assert Spread.of([2.0, 3.0, 4.0]).median == 3


def test_a_target_is_reached_missed_or_not_measured():
    slowest = next(target for target in TARGETS if target.at_least)
    setting = Setting(slowest.scenario, slowest.operation, slowest.where, slowest.case)
    for rate, holds in ((10.1 * slowest.limit, True), (9.9 * slowest.limit, False)):
        findings = Findings({})
        values = {slowest.subject: [rate], slowest.against: [10.0]}
        findings.add_values(setting, RATE, values, against=slowest.against)
        found = dict(measured_targets(findings))
        assert slowest.holds(found[slowest]) is holds
        assert sum(each is None for each in found.values()) == len(TARGETS) - 1


def test_deletes_cost_nothing():
    assert dollars({"PUT": 1000, "GET": 1000, "DELETE": 1000}) == pytest.approx(0.0054)


def test_a_failing_scenario_fails_the_run_and_keeps_the_findings_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def measure(name: str, run: Run) -> None:
        if name == "costs":
            raise RuntimeError("no server")
        run.note(f"{name} was measured")

    monkeypatch.setattr(command, "measure", measure)
    published: list[Findings] = []
    monkeypatch.setattr(publishing, "publish", published.append)
    path = tmp_path / "found.json"
    environment = dict(os.environ)
    try:
        assert command.main(["costs", "memory", "--publish", "--json", str(path)]) == 1
    finally:
        os.environ.clear()
        os.environ.update(environment)
    assert Findings.read(path).notes == ["memory was measured"]
    assert published == []


def test_the_error_for_an_unknown_scenario_names_it(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        command.main(["hot_paths"])
    assert "there is no scenario 'hot_paths'" in capsys.readouterr().err


def test_a_proxy_counts_requests_and_changes_none(moto: Any):
    with CountingProxy(Server("moto", moto.endpoint_url)) as proxy:
        client = boto3.client("s3", endpoint_url=proxy.server.endpoint_url)
        client.create_bucket(Bucket="counted")

        def act() -> None:
            client.put_object(Bucket="counted", Key="a/b", Body=b"x" * 100_000)
            with client.get_object(Bucket="counted", Key="a/b")["Body"] as body:
                assert body.read() == b"x" * 100_000
            assert client.head_object(Bucket="counted", Key="a/b")["ContentLength"] == 100_000
            assert client.list_objects_v2(Bucket="counted")["KeyCount"] == 1
            client.delete_objects(Bucket="counted", Delete={"Objects": [{"Key": "a/b"}]})

        assert proxy.count(act) == {"PUT": 1, "GET": 1, "HEAD": 1, "LIST": 1, "DELETE": 1}
        client.close()


def test_each_row_of_the_integrations_is_ahead_or_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    findings = Findings(
        {"date": "2026-11-28", "cores": 2, "processor": "", "system": "", "python": "", "quick": False}
    )
    ours, rival = ["sessionbucket (boto3)", "sessionbucket (obstore)"], "a rival"
    for operation, factor in ((TURN, 3.0), (RESUME, 0.5)):
        setting = Setting(SCENARIO, operation_of(LANGGRAPH, operation), "seaweedfs", 10)
        for quantity in (ELAPSED, CPU):
            values = {ours[0]: [0.01 * factor] * 3, ours[1]: [0.005] * 3, rival: [0.01] * 3}
            findings.add_values(setting, quantity, values, against=rival)
        for subject in (*ours, rival):
            cost = Cost(cost_of(LANGGRAPH, operation, 10), subject, {"GET": 1, "LIST": 2}, 0)
            findings.costs.append(cost)
    assert [(row.operation, row.is_ahead) for row in comparison.rows(findings)] == [
        (TURN, False),
        (RESUME, True),
    ]
    monkeypatch.setitem(comparison.REASONS, (LANGGRAPH, TURN), "Because of this.")
    page = tmp_path / "benchmarks.md"
    page.write_text((PROJECT / "docs" / "benchmarks.md").read_text())
    monkeypatch.setattr(publishing, "PAGE", page)
    publishing.publish(findings)
    text = page.read_text().partition(publishing.COMPARISON_BEGIN)[2].partition(publishing.COMPARISON_END)[0]
    assert (
        "| a rival | 10 | 1 GET, 2 LIST | 1 GET, 2 LIST | 30, 5, 10 | 30, 5, 10 | 3.00, 0.50 | 3.00, 0.50 | (1) |"
        in text
    )
    assert "| 5, 5, 10 | 5, 5, 10 | 0.50, 0.50 | 0.50, 0.50 | ahead |" in text
    assert "\n1. Because of this.\n" in text
    assert "not measured" not in text


def test_the_published_rows_of_the_integrations_are_explained():
    page = (PROJECT / "docs" / "benchmarks.md").read_text()
    assert "not explained" not in page
