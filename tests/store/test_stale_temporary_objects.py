"""A check finds the temporary objects of interrupted writes and probes once they are old, and a repair removes them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from conformance.samples import session_of
from sessionbucket import Problem, SessionStore, open_store

OF_THIS_LIBRARY = f".sessionbucket/tmp/{0:032x}.tmp"
OF_A3S_CODE = "s.json.1700000000.7.tmp"
OF_A_PROBE = ".sessionbucket/probe/x/once"
INTERRUPTED = {OF_THIS_LIBRARY, OF_A3S_CODE, OF_A_PROBE}


@pytest.fixture
def store_with_temporary_objects(tmp_path: Path) -> SessionStore:
    store = open_store(tmp_path.as_uri())
    store.save(session_of("s"))
    for name in INTERRUPTED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
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
    assert {finding.key for finding in findings} == INTERRUPTED
    assert all(finding.problem is Problem.STALE and finding.removable for finding in findings)
    assert store_with_temporary_objects.repair(findings) == findings
    assert list(store_with_temporary_objects.check()) == []
    assert store_with_temporary_objects.list() == ["s"]


def test_a_users_file_with_a_temporary_name_is_no_finding(tmp_path: Path):
    store = open_store(tmp_path.as_uri())
    store.save(session_of("s"))
    names = ["build.tmp", f"{0:032x}.tmp", "x.json.1700000000.7.tmp", ".0123.tmp"]
    for name in names:
        store.put_file("s", name, b"of the user")
    make_old(tmp_path)
    assert list(store.check()) == []
    assert {file.name for file in store.list_files("s")} == set(names)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are not UTF-8")
def test_a_file_name_that_is_not_utf8_does_not_stop_a_repair(
    store_with_temporary_objects: SessionStore, tmp_path: Path
):
    names = [b"\xff.json.1700000000.7.tmp", b"\xff.json", b"artifacts/\xff", b".sessionbucket/tmp/\xff.tmp"]
    (tmp_path / "artifacts").mkdir()
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"of another program")
    make_old(tmp_path)
    findings = list(store_with_temporary_objects.check())
    assert {finding.key for finding in findings} == INTERRUPTED
    assert store_with_temporary_objects.repair(findings) == findings
    assert set(names) <= {
        os.fsencode(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    }
