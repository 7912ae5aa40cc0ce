"""The operations on a large store are measured, here on a small one."""

from __future__ import annotations

import pytest

from benchmarks.scale import FOLDER, OPERATIONS, main


@pytest.mark.slow
def test_every_operation_has_a_row(capsys: pytest.CaptureFixture[str]):
    assert main([FOLDER, "--sessions", "30"]) == 0
    rows = [
        line.strip("|").split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")
    ]
    found = {name.strip(): int(results) for name, results, *_ in rows[1:]}
    assert found.keys() == {*OPERATIONS}
    assert found["list"] == found["summaries, again"] == 30
    assert found["first page of 20"] == 20
