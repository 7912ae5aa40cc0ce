"""A store is an argument or an option of every command: a URL, or the path of a folder."""

from __future__ import annotations

import sys

import pytest

from cli.command_line import make_session, tree
from cli.test_failures import python


@pytest.fixture
def filled(store):
    for id in ("a", "b"):
        store.save(make_session(id))
    return store


@pytest.fixture(params=["url", "path", "relative", "home"])
def place(request, url, tmp_path, monkeypatch) -> str:
    """The store of the test, named in each way."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return {"url": url, "path": str(tmp_path / "store"), "relative": "./store", "home": "~/store"}[
        request.param
    ]


def test_every_command_takes_the_store_as_an_argument(run, filled, place, other_url):
    assert run.ok("ls", place).startswith("a\t")
    assert run.ok("show", place, "a").startswith("a\n")
    assert "2 read" in run.ok("check", place)
    assert run.ok("cp", place, other_url) == "copied 2, same 0, conflicts 0\n"
    assert run.ok("rm", place, "a", "--yes") == "deleted a\n"
    assert filled.list() == ["b"]


def test_every_command_takes_the_store_as_an_option(run, filled, place):
    assert run.ok("ls", "--store", place).startswith("a\t")
    assert run.ok("show", "a", "-s", place).startswith("a\n")
    assert "2 read" in run.ok("check", "-s", place)
    assert run.ok("rm", "a", "b", "--yes", "-s", place) == "deleted a\ndeleted b\n"


def test_an_argument_replaces_the_store_of_the_environment(run, filled, url, other_url, monkeypatch):
    monkeypatch.setenv("SESSIONBUCKET_URL", other_url)
    assert run.ok("ls", url).startswith("a\t")
    monkeypatch.setenv("SESSIONBUCKET_URL", url)
    assert run.ok("show", "a").startswith("a\n")


@pytest.mark.parametrize("command", [["ls"], ["show"], ["check"], ["rm"]])
def test_a_store_given_twice_is_refused(run, filled, url, other_url, command):
    ids = ["a"] if command[0] in ("show", "rm") else []
    assert "--store" in run.error(*command, url, *ids, "--store", other_url)
    assert filled.list() == ["a", "b"]


def test_a_session_whose_id_looks_like_a_path_can_be_named(run, store, url):
    for id in ("/tmp/x", "s3://x"):
        store.save(make_session(id))
        assert run.ok("show", id, "--store", url).startswith(f"{id}\n")
        assert run.ok("rm", id, "--yes", "--store", url) == f"deleted {id}\n"


def test_the_error_for_a_missing_store_names_the_option(run):
    for command in (["ls"], ["show", "a"], ["check"], ["rm", "a"]):
        assert "--store" in run.error(*command)


def test_a_missing_path_is_not_created(run, tmp_path):
    assert str(tmp_path / "missing") in run.error("ls", str(tmp_path / "missing"))
    assert list(tmp_path.iterdir()) == []


def test_a_copy_creates_the_folder_at_a_path(run, filled, url, tmp_path):
    run.ok("cp", url, str(tmp_path / "new folder"))
    assert tree((tmp_path / "new folder").as_uri().replace("%20", " ")) == tree(url)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_shell_can_complete_the_commands():
    typed = {"_SESSIONBUCKET_COMPLETE": "complete_bash", "COMP_WORDS": "sessionbucket c", "COMP_CWORD": "1"}
    completed = python("-m", "sessionbucket.cli", **typed)
    assert sorted(completed.stdout.split()) == ["check", "cp"]
    script = python("-m", "sessionbucket.cli", _SESSIONBUCKET_COMPLETE="source_bash")
    assert "complete" in script.stdout
    assert "sessionbucket" in script.stdout
