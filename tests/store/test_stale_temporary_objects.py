"""A check finds the temporary objects of interrupted writes and probes once they are old, and a repair removes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.samples import session_of
from sessionbucket import Problem, SessionStore, open_store


@pytest.fixture
def store_with_temporary_objects(tmp_path: Path) -> SessionStore:
    store = open_store(tmp_path.as_uri())
    store.save(session_of("s"))
    (tmp_path / ".sessionbucket" / "probe" / "x").mkdir(parents=True)
    for name in (".0123.tmp", "s.json.1700000000.7.tmp", ".sessionbucket/probe/x/once"):
        (tmp_path / name).write_bytes(b"interrupted")
    return store


def make_old(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (0, 0))


def test_a_recent_temporary_object_is_no_finding(store_with_temporary_objects: SessionStore):
    assert list(store_with_temporary_objects.check()) == []


def test_an_old_temporary_object_is_found_and_removed(
    store_with_temporary_objects: SessionStore, tmp_path: Path
):
    make_old(tmp_path)
    findings = list(store_with_temporary_objects.check())
    assert {finding.key for finding in findings} == {
        ".0123.tmp",
        "s.json.1700000000.7.tmp",
        ".sessionbucket/probe/x/once",
    }
    assert all(finding.problem is Problem.STALE and finding.removable for finding in findings)
    assert store_with_temporary_objects.repair(findings) == findings
    assert list(store_with_temporary_objects.check()) == []
    assert store_with_temporary_objects.list() == ["s"]
