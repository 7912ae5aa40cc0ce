"""``sweep``: it shows what is due, and deletes it with ``--yes``."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cli.command_line import add_parts, make_session, tree


@pytest.fixture(autouse=True)
def _sessions(store, tmp_path: Path) -> None:
    for id in ("old", "new"):
        store.save(make_session(id))
        add_parts(store, id)
    then = time.time() - 100 * 86_400
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file() and "old" in path.relative_to(tmp_path).as_posix():
            os.utime(path, (then, then))


def test_without_yes_it_only_shows(run, url):
    before = tree(url)
    result = run("sweep", url, "--idle", "90d")
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert lines[0] == ["due", "old.json", "not saved for too long"]
    assert len(lines) == 6
    assert "6 objects would be deleted" in result.stderr
    assert tree(url) == before


def test_with_yes_it_deletes(run, url):
    assert run.ok("sweep", url, "--idle", "12w", "--yes").startswith("deleted\told.json")
    assert not any("old" in name for name in tree(url))
    assert run.ok("sweep", url, "--idle", "12w", "--yes") == ""


def test_parts_have_their_own_age(run, url):
    out = run.ok("sweep", url, "--traces", "48h", "--yes")
    assert out == "deleted\ttraces/old.json\tnot changed for too long\n"


@pytest.mark.parametrize("age", ["90", "0d", "d", "90 d", "1m"])
def test_a_bad_age_is_refused(run, url, age):
    assert "--idle" in run.error("sweep", url, "--idle", age)


def test_an_age_is_needed(run, url):
    assert "--idle 90d" in run.error("sweep", url)
