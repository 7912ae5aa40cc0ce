"""``ls --long``: titles, owners, tags and costs, filtered and sorted."""

from __future__ import annotations

import json

import pytest

from cli.command_line import make_session
from sessionbucket import Conversation, open_store


@pytest.fixture(autouse=True)
def _sessions(store) -> None:
    for number, (id, owner, tags) in enumerate(
        [("a", "bob", ["prod"]), ("b", "alice", ["prod", "x"]), ("c", "alice", []), ("d", None, ["x"])]
    ):
        session = make_session(id, f"title\t{id}")
        session.principal, session.tags, session.total_cost = owner, tags, float(10 - number)
        store.save(session)


def ids(run, url, *options: str) -> list[str]:
    return [line.split("\t")[0] for line in run.ok("ls", "--store", url, *options).splitlines()]


def test_a_pipe_gets_one_line_for_each_session(run, store, url):
    rows = [line.split("\t") for line in run.ok("ls", "--store", url, "--long").splitlines()]
    assert [row[0] for row in rows] == ["a", "b", "c", "d"]
    assert rows[1][1:4] == ["title b", "alice", "prod,x"]
    assert rows[1][6] == "1"
    assert rows[1][8] == "9.0000"
    assert {len(row) for row in rows} == {10}


def test_owner_tag_prefix_and_limit_select(run, url):
    assert ids(run, url, "--owner", "alice") == ["b", "c"]
    assert ids(run, url, "--owner", "alice", "--tag", "prod") == ["b"]
    assert ids(run, url, "--tag", "x", "--limit", "1") == ["b"]
    assert ids(run, url, "--long", "--prefix", "c") == ["c"]


def test_sort_orders_all_and_puts_sessions_without_a_value_last(run, url):
    assert ids(run, url, "--sort", "cost") == ["d", "c", "b", "a"]
    assert ids(run, url, "--sort", "-cost", "--limit", "2") == ["a", "b"]
    assert ids(run, url, "--sort", "owner") == ["b", "c", "a", "d"]
    assert ids(run, url, "--sort", "-owner") == ["a", "b", "c", "d"]
    assert "owner" in run.error("ls", "--store", url, "--sort", "size")


def test_json_has_the_fields_of_the_summaries(run, store, url):
    rows = json.loads(run.ok("ls", "--store", url, "--long", "--json"))
    expected = [summary._asdict() for summary in store.summaries()]
    assert rows == json.loads(json.dumps(expected))
    assert json.loads(run.ok("ls", "--store", url, "--owner", "nobody", "--json")) == []


def test_a_terminal_gets_a_table_with_a_total(run, store, url, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    shown = run.ok("ls", "--store", url, "--long")
    assert "title b" in shown
    assert "4 sessions, 4 messages, $34.00" in shown


def test_titles_can_be_left_out(run, url):
    rows = json.loads(run.ok("ls", "--store", url, "--long", "--no-titles", "--json"))
    assert {row["title"] for row in rows} == {""}


def test_a_session_that_cannot_be_read_says_why(run, url, tmp_path):
    (tmp_path / "store" / "e.json").write_text("{")
    assert "(cannot be read: " in run.ok("ls", "--store", url, "--long").splitlines()[-1]


def test_conversations_show_their_titles_messages_and_tokens(run, tmp_path):
    url = f"{(tmp_path / 'conversations').as_uri()}"
    with open_store(url, model=Conversation) as store:
        messages = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
        store.save(Conversation(id="a", title="My chat", usage={"total_tokens": 42}, messages=messages))
        store.save(Conversation(id="b"))
    rows = [line.split("\t") for line in run.ok("ls", "--store", url, "--long").splitlines()]
    assert [(row[0], row[1], row[6], row[7]) for row in rows] == [
        ("a", "My chat", "2", "42"),
        ("b", "", "0", "0"),
    ]
    assert ids(run, url, "--sort", "-tokens", "--limit", "1") == ["a"]
    [first, _] = json.loads(run.ok("ls", "--store", url, "--long", "--no-titles", "--json"))
    assert (first["title"], first["tokens"], first["problem"]) == ("", 42, None)
