"""``ls --kind``: what agent frameworks keep, without the frameworks."""

from __future__ import annotations

import json
from datetime import datetime

from store.integration_documents import LONG, write_all


def test_a_pipe_gets_one_line_for_each_item(run, store, url):
    write_all(store, "a\tb")
    write_all(store, LONG)
    lines = [line.split("\t") for line in run.ok("ls", url, "--kind", "langgraph").splitlines()]
    infos = list(store.iter_integration("langgraph"))
    assert [line[0] for line in lines] == [r"a\tb", LONG]
    assert [(int(line[1]), int(line[2])) for line in lines] == [(info.objects, info.size) for info in infos]
    assert [datetime.fromisoformat(line[3]) for line in lines] == [info.updated_at for info in infos]


def test_names_of_several_parts_are_joined(run, store, url):
    write_all(store, "s")
    assert run.ok("ls", url, "--kind", "adk").startswith("app/s/s\t3\t")


def test_a_terminal_gets_a_table_with_a_total(run, store, url, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    write_all(store, "[bold]one")
    write_all(store, "two")
    shown = run.ok("ls", url, "--kind", "claude")
    assert "p/[bold]one" in shown
    assert "2 items" in shown


def test_json_has_the_names_apart(run, store, url):
    write_all(store, "a/b")
    (row,) = json.loads(run.ok("ls", url, "--kind", "claude", "--json"))
    (info,) = store.iter_integration("claude")
    assert row == {
        "names": ["p", "a/b"],
        "objects": 6,
        "size": info.size,
        "updated_at": info.updated_at.isoformat(),
        "path": "p/a%2Fb",
    }
    assert json.loads(run.ok("ls", url, "--kind", "pydantic-ai", "--json", "--prefix", "x")) == []


def test_prefix_and_limit_select_items(run, store, url):
    for name in ("a-1", "a-2", "a-3", "b"):
        write_all(store, name)
    lines = run.ok("ls", url, "--kind", "openai-agents", "--prefix", "a-", "--limit", "2").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["a-1", "a-2"]


def test_an_unknown_kind_is_an_error_that_names_the_known_ones(run, store, url):
    assert "langgraph-store, openai-agents" in run.error("ls", url, "--kind", "notes")
