"""``fork``, ``history``, ``restore``, ``diff``, ``purge`` and ``redact``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import add_parts, make_session, tree
from conformance.locations import VERSIONED, Location
from sessionbucket import Message, SessionStore, open_store

SECRET = "s3cr3t-token"


@pytest.fixture
def bucket_url(location_of: Callable[[str], Location]) -> str:
    return location_of(VERSIONED[1]).url()


@pytest.fixture
def versioned(bucket_url: str) -> Any:
    with open_store(bucket_url) as store:
        session = make_session("s", f"my token is {SECRET}")
        store.save(session)
        session.messages.append(Message.user("thanks"))
        session.config.name = "Tokens"
        store.save(session)
        yield store


def test_a_fork_names_its_session_and_its_messages(run, store: SessionStore, url: str):
    store.save(make_session("s", "one", "two"))
    assert run.ok("fork", url, "s", "t", "--messages", "1") == "forked s to t (1 message)\n"
    assert run.ok("fork", "s", "u", "--store", url) == "forked s to u (2 messages)\n"
    assert "exists already" in run.error("fork", url, "s", "u")
    assert "takes other arguments" in run.error("fork", url, code=2)


def test_history_restore_and_diff(run, versioned: SessionStore, bucket_url: str):
    lines = [line.split("\t") for line in run.ok("history", bucket_url, "s").splitlines()]
    assert [line[3] for line in lines] == ["current", ""]
    old = lines[1][0]
    rows = json.loads(run.ok("history", bucket_url, "s", "--json"))
    assert [row["version_id"] for row in rows] == [lines[0][0], old]
    shown = run.ok("diff", bucket_url, "s", old).splitlines()
    assert shown[0] == "  1 message in common"
    assert shown[1].startswith("+ ")
    assert "thanks" in shown[1]
    assert '~ config.name: "" -> "Tokens"' in shown
    assert run.ok("restore", bucket_url, "s", "--version", old) == "restored s (1 message)\n"
    assert run.ok("restore", bucket_url, "s") == "restored s (2 messages)\n"
    assert "has no versions" in run.error("history", bucket_url, "missing")
    assert "has no version 'x'" in run.error("diff", bucket_url, "s", "x")


def test_a_folder_has_no_history(run, store: SessionStore, url: str):
    store.save(make_session("s"))
    assert "keeps no versions" in run.error("history", url, "s")


def test_a_purge_erases_once_it_is_confirmed(run, versioned: SessionStore, bucket_url: str, tmp_path: Path):
    report = tmp_path / "purge.json"
    said = run.ok("purge", bucket_url, "s", "--report", str(report))
    assert "would erase 2 versions" in said
    assert "nothing was changed; pass --yes" in said
    assert json.loads(report.read_text())["verified_at"] is None
    assert versioned.exists("s")
    said = run.ok("purge", bucket_url, "s", "--yes", "--report", str(report))
    assert "purge s: erase 3 versions" in said
    assert "not covered: replicas and backups of the bucket" in said
    written = json.loads(report.read_text())
    assert (written["id"], written["kept"], written["erased_versions"]) == ("s", [], 3)
    assert list(versioned.history.versions("s")) == []


def test_a_redaction_replaces_the_pattern_once_it_is_confirmed(run, versioned: SessionStore, bucket_url: str):
    assert "would erase 1 version" in run.ok("redact", bucket_url, "s", "--pattern", "s3cr3t-[a-z]+")
    assert len(list(versioned.history.versions("s"))) == 2
    run.ok("redact", bucket_url, "s", "--pattern", "s3cr3t-[a-z]+", "--with", r"\1", "--yes")
    session = versioned.load("s")
    assert session is not None
    assert session.messages[0].text == r"my token is \1"
    assert len(list(versioned.history.versions("s"))) == 1


def test_a_bad_pattern_or_choice_is_one_line(run, store: SessionStore, url: str):
    store.save(make_session("s"))
    add_parts(store, "s")
    before = tree(url)
    assert "no regular expression" in run.error("redact", url, "s", "--pattern", "(")
    assert "has files" in run.error("redact", url, "s", "--pattern", "x", "--yes")
    assert "'refuse', 'keep' or 'delete'" in run.error("redact", url, "s", "--pattern", "x", "--files", "all")
    assert tree(url) == before
    assert "would erase" in run.ok("purge", url, "s")
    assert tree(url) == before
    assert "erase" in run.ok("purge", url, "s", "-y")
    assert tree(url) == {}


def test_a_report_that_cannot_be_written_is_printed(run, store: SessionStore, url: str, tmp_path: Path):
    store.save(make_session("s"))
    result = run("purge", url, "s", "--yes", "--report", str(tmp_path / "missing" / "r.json"))
    assert "the report cannot be written" in result.stderr
    assert '"id": "s"' in result.stdout
