"""A check finds sealed segments that no log names once they are old, and a repair removes them, and no other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import Command
from sessionbucket import AppendLog, Finding, Problem, SessionStore, open_store
from store.integration_documents import write_all

ID = "0" * 32
LOGS = (
    "openai-agents/{}s",
    "pydantic-ai/{}s",
    "claude/p/s/{}s",
    "claude/p/a/s/{}agent",
    "adk/app/u/s/s/{}s",
    "strands/repository/s/a/{}agent",
)
"""The logs of ``write_all``; in the place of the braces, their segments have a folder."""


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The folder of a store with items of every integration."""
    with open_store(f"{tmp_path.as_uri()}?fsync=false") as store:
        write_all(store, "s")
    return tmp_path


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and ".sessionbucket" not in path.parts}


def make_old(folder: Path, age: float = 25 * 3600) -> None:
    for path in folder.rglob("*"):
        seconds = path.stat().st_mtime - age
        os.utime(path, (seconds, seconds))


def orphan(folder: Path, log: str) -> str:
    """Add a segment to a log that does not name it, as an interrupted append does. Returns its key."""
    key = log.format("sealed/") + f"/{ID}"
    (folder / key).write_bytes(b'{"format":1,"entries":1}\n1\n')
    return key


def test_what_integrations_write_is_no_finding(side: Any, filled: Path):
    make_old(filled)
    assert list(side.make("open_store", filled.as_uri()).check()) == []


@pytest.mark.parametrize("log", LOGS)
def test_an_old_segment_that_its_log_does_not_name_is_found_and_removed(side: Any, filled: Path, log: str):
    before = files(filled)
    key = orphan(filled, log)
    make_old(filled)
    store = side.make("open_store", filled.as_uri())
    (finding,) = store.check()
    assert finding == Finding(
        key, Problem.ORPHAN, "a sealed segment that its log does not name", removable=True
    )
    assert store.repair([finding]) == [finding]
    assert list(store.check()) == []
    assert files(filled) == before


def test_a_segment_younger_than_a_day_is_no_finding(filled: Path):
    orphan(filled, LOGS[0])
    make_old(filled, 23 * 3600)
    with open_store(filled) as store:
        assert list(store.check()) == []


def test_the_segments_of_a_log_that_does_not_exist_are_found(filled: Path):
    (filled / "openai-agents" / "s.log").unlink()
    make_old(filled)
    with open_store(filled) as store:
        findings = list(store.check())
        assert len(findings) == 2
        assert {finding.key.rpartition("/")[0] for finding in findings} == {"openai-agents/sealed/s"}
        assert store.repair(findings) == findings


def test_a_segment_that_a_log_names_by_now_is_not_removed(side: Any, filled: Path):
    key = orphan(filled, LOGS[0])
    make_old(filled)
    store = side.make("open_store", filled.as_uri())
    (finding,) = store.check()
    head = filled / "openai-agents" / "s.log"
    line, _, entries = head.read_bytes().partition(b"\n")
    head.write_bytes(line.replace(b'"sealed":[', f'"sealed":[["{ID}",1],'.encode()) + b"\n" + entries)
    assert store.repair([finding]) == []
    assert (filled / key).exists()
    documents = open_store(filled).documents("openai-agents", integration=True)
    assert AppendLog(documents).read("s").entries[0] == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("head", [b"", b"{}\n", b'{"format":2}\n'])
def test_nothing_of_a_log_that_cannot_be_read_is_removed(filled: Path, head: bytes):
    orphan(filled, LOGS[0])
    (filled / "openai-agents" / "s.log").write_bytes(head)
    make_old(filled)
    with open_store(filled) as store:
        (finding,) = store.check()
    assert (finding.key, finding.problem, finding.removable) == (
        "openai-agents/s.log",
        Problem.CORRUPTED,
        False,
    )


def test_metadata_of_any_size_are_read(filled: Path):
    with open_store(filled) as store:
        log = AppendLog(store.documents("openai-agents", integration=True))
        log.edit("s", lambda draft: draft.metadata.update(text="x" * 100_000))
        make_old(filled)
        assert list(store.check()) == []
        orphan(filled, LOGS[0])
        make_old(filled)
        assert len(list(store.check())) == 1


@pytest.mark.parametrize(
    "key", [f"strands/sealed/s/{ID}", f"langgraph/sealed/s/{ID}", f"notes/sealed/s/{ID}"]
)
def test_objects_of_others_whose_keys_look_like_segments_are_no_finding(filled: Path, key: str):
    (filled / key).parent.mkdir(parents=True)
    (filled / key).write_bytes(b"of others")
    make_old(filled)
    with open_store(filled) as store:
        assert list(store.check()) == []


def test_many_logs_are_checked(tmp_path: Path):
    logs = [f"openai-agents/{{}}{number}" for number in range(150)]
    for log in logs:
        (tmp_path / log.format("sealed/")).mkdir(parents=True)
    keys = {orphan(tmp_path, log) for log in logs}
    make_old(tmp_path)
    with open_store(tmp_path) as store:
        assert {finding.key for finding in store.check()} == keys


def test_the_command_removes_them(filled: Path):
    key = orphan(filled, LOGS[0])
    make_old(filled)
    command = Command()
    assert command("check", "--store", filled.as_uri()).exit_code == 1
    assert (filled / key).exists()
    shown = command.ok("check", "--store", filled.as_uri(), "--repair", "--yes")
    assert f"orphan\t{key}\ta sealed segment that its log does not name\tremovable" in shown
    assert not (filled / key).exists()


def test_a_store_without_integrations_costs_no_request_more(tmp_path: Path):
    from sessionbucket import MemoryBucket
    from sessionbucket.testing import FaultyBucket

    bucket = FaultyBucket(MemoryBucket())
    with SessionStore(bucket) as store:
        list(store.check())
    assert not [call for call in bucket.calls if any("openai-agents" in key for key in call.keys)]
