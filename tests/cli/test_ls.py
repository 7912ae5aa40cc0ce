"""``ls``: the table on a terminal, the lines in a pipe, and JSON."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from cli.command_line import make_session
from sessionbucket.cli import ls as listing


def test_a_pipe_gets_one_line_with_the_whole_id_for_each_session(run, store, url):
    long_id = "x" * 190
    store.save(make_session(long_id))
    store.save(make_session("a"))
    rows = [line.split("\t") for line in run.ok("ls", "--store", url).splitlines()]
    assert [row[0] for row in rows] == ["a", long_id]
    assert [int(row[1]) for row in rows] == [info.size for info in store.iter_sessions()]
    assert all(datetime.fromisoformat(row[2]).tzinfo for row in rows)


def test_a_terminal_gets_a_table_with_whole_ids_and_a_total(run, store, url, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    store.save(make_session("[bold]one"))
    store.save(make_session("two"))
    shown = run.ok("ls", "--store", url)
    assert "updated (UTC)" in shown
    assert "[bold]one" in shown
    assert "2 sessions" in shown


def test_a_terminal_shows_when_the_limit_cuts_the_list(run, store, url, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    for id in ("a", "b"):
        store.save(make_session(id))
    assert "--limit 1 is reached" in run.ok("ls", "--store", url, "--limit", "1")


def test_json_is_one_array_with_the_fields_of_the_listing(run, store, url):
    for id in ("a", "b/ü"):
        store.save(make_session(id))
    rows = json.loads(run.ok("ls", "--store", url, "--json"))
    infos = list(store.iter_sessions())
    assert [row["id"] for row in rows] == ["a", "b/ü"]
    assert [row["size"] for row in rows] == [info.size for info in infos]
    assert [datetime.fromisoformat(row["updated_at"]) for row in rows] == [info.updated_at for info in infos]
    assert [row["version"] for row in rows] == [info.version for info in infos]


def test_an_empty_store_is_an_empty_array_and_no_line(run, store, url):
    assert json.loads(run.ok("ls", "--store", url, "--json")) == []
    assert run.ok("ls", "--store", url) == ""


def test_prefix_and_limit_select_sessions(run, store, url):
    for id in ("a-1", "a-2", "a-3", "b-1"):
        store.save(make_session(id))
    rows = json.loads(run.ok("ls", "--store", url, "--json", "--prefix", "a-", "--limit", "2"))
    assert [row["id"] for row in rows] == ["a-1", "a-2"]


def test_all_pages_are_listed(run, store, url, monkeypatch):
    monkeypatch.setattr(listing, "PAGE_LIMIT", 2)
    for number in range(5):
        store.save(make_session(str(number)))
    assert len(run.ok("ls", "--store", url).splitlines()) == 5
    assert len(run.ok("ls", "--store", url, "--limit", "3").splitlines()) == 3


def test_the_store_url_of_the_environment_is_used(run, store, url, monkeypatch):
    store.save(make_session("a"))
    monkeypatch.setenv("SESSIONBUCKET_URL", url)
    assert run.ok("ls").startswith("a\t")


def test_control_characters_of_an_id_are_escaped(run, store, url):
    store.save(make_session("a\nb\x1b[31m\tc"))
    (line,) = run.ok("ls", "--store", url).splitlines()
    assert line.split("\t")[0] == r"a\nb\x1b[31m\tc"


def test_no_body_is_read(run, store, url, tmp_path):
    (tmp_path / "store" / "broken.json").write_bytes(b"{")
    assert run.ok("ls", "--store", url).startswith("broken\t1\t")


def test_a_missing_folder_is_an_error_and_is_not_created(run, tmp_path):
    missing = tmp_path / "missing"
    assert "does not exist" in run.error("ls", "--store", missing.as_uri())
    assert not missing.exists()


def test_a_missing_folder_of_the_environment_is_not_created(run, tmp_path, monkeypatch):
    missing: Path = tmp_path / "missing"
    monkeypatch.setenv("SESSIONBUCKET_URL", missing.as_uri())
    assert "does not exist" in run.error("ls")
    assert not missing.exists()
