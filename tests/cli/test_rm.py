"""``rm``: shows the sessions, asks, and deletes each with all its parts."""

from __future__ import annotations

import pytest

from cli.command_line import add_parts, make_session, tree
from sessionbucket import SessionStore


@pytest.fixture
def filled(store: SessionStore) -> SessionStore:
    for id in ("a", "b", "c"):
        store.save(make_session(id))
    add_parts(store, "a")
    return store


def test_it_shows_the_sessions_and_deletes_them_after_a_yes(run, filled, url):
    result = run("rm", "a", "b", "--store", url, input="y\n")
    assert result.exit_code == 0
    assert "artifacts" in result.stderr
    assert "2 files 4.0 kB" in result.stderr
    assert "Delete 2 sessions permanently?" in result.stderr
    assert result.stdout == "deleted a\ndeleted b\n"
    assert set(tree(url)) == {"c.json"}


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_deleted(run, filled, url, typed):
    before = tree(url)
    result = run("rm", "a", "--store", url, input=typed)
    assert result.exit_code == 1
    assert "nothing was deleted" in result.stderr
    assert tree(url) == before


def test_with_yes_it_does_not_ask(run, filled, url):
    assert run.ok("rm", "a", "--yes", "--store", url) == "deleted a\n"
    assert filled.list() == ["b", "c"]


def test_missing_ids_are_reported_and_the_others_deleted(run, filled, url):
    result = run("rm", "nope", "b", "-y", "--store", url)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: session 'nope' does not exist in file://")
    assert result.stdout == "deleted b\n"
    assert filled.list() == ["a", "c"]


def test_with_missing_ids_only_it_does_not_ask(run, filled, url):
    assert "does not exist" in run.error("rm", "nope", "--store", url)


def test_a_corrupted_session_can_be_deleted(run, filled, url, tmp_path):
    (tmp_path / "store" / "b.json").write_bytes(b"{")
    run.ok("rm", "b", "-y", "--store", url)
    assert filled.list() == ["a", "c"]


def test_the_parts_of_a_missing_session_can_be_deleted(run, filled, url, tmp_path):
    (tmp_path / "store" / "a.json").unlink()
    result = run("rm", "a", "--store", url, input="y\n")
    assert result.exit_code == 0
    assert set(tree(url)) == {"b.json", "c.json"}


def test_a_bad_id_deletes_nothing(run, filled, url):
    before = tree(url)
    assert "is refused" in run.error("rm", "b", "", "-y", "--store", url)
    assert tree(url) == before
