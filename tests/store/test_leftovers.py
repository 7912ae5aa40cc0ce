"""What writes and probes that were cut off leave behind is found once it is old, and removed by a repair."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.samples import session_of
from sessionbucket import Problem, SessionStore, open_store


@pytest.fixture
def littered(tmp_path: Path) -> SessionStore:
    store = open_store(tmp_path.as_uri())
    store.save(session_of("s"))
    (tmp_path / ".sessionbucket" / "probe" / "x").mkdir(parents=True)
    for name in (".0123.tmp", "s.json.1700000000.7.tmp", ".sessionbucket/probe/x/once"):
        (tmp_path / name).write_bytes(b"cut off")
    return store


def age(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (0, 0))


def test_what_may_still_be_in_use_is_left_alone(littered: SessionStore):
    assert list(littered.check()) == []


def test_what_is_old_is_found_and_removed(littered: SessionStore, tmp_path: Path):
    age(tmp_path)
    findings = list(littered.check())
    assert {finding.key for finding in findings} == {
        ".0123.tmp",
        "s.json.1700000000.7.tmp",
        ".sessionbucket/probe/x/once",
    }
    assert all(finding.problem is Problem.LEFTOVER and finding.removable for finding in findings)
    assert littered.repair(findings) == findings
    assert list(littered.check()) == []
    assert littered.list() == ["s"]
