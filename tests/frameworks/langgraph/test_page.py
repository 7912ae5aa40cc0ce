"""The page about LangGraph is true."""

from __future__ import annotations

import re
from pathlib import Path

from graphs import Side, thread, two_nodes

PAGE = (Path(__file__).parents[3] / "docs" / "integrations" / "langgraph.md").read_text()


def test_its_code_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code.replace("s3://my-bucket/agents", "memory://page"), "langgraph.md", "exec"), {})


def test_its_costs_are_those_of_the_requests():
    prices = {"LIST": 5.0, "PUT": 5.0, "GET": 0.4}
    rows = re.findall(r"\| ((?:1 \w+, )+\d (?:PUT|GET)) \| \$([\d.]+) \|", PAGE)
    assert len(rows) == 3
    for requests, dollars in rows:
        found = re.findall(r"(\d+) (LIST|GET|PUT)", requests)
        assert sum(int(count) * prices[name] for count, name in found) == float(dollars)


def test_its_requests_are_those_of_a_turn():
    side = Side(is_async=False)
    graph = two_nodes(side.saver)
    graph.invoke({"notes": []}, thread("t"))
    assert "1 LIST, 1 GET, 7 PUT" in PAGE
    assert side.counted(graph, "invoke", {"notes": []}, thread("t")) == {"LIST": 1, "GET": 1, "PUT": 7}
