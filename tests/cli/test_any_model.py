"""Sessions of a model that the command line does not have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from cli.command_line import add_parts, make_session, tree
from sessionbucket import open_store

BODY = b'{"id":  "own", "turns": [{"said": "hi\\u001b"}], "a": 1.50, "note": "two\\nlines"}'


class OwnSession(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    turns: list[dict[str, str]] = []
    score: float = 0


@pytest.fixture
def with_own_models(store, url, tmp_path) -> Path:
    """A folder with a session of this library, one that another program wrote, and one of a user's model."""
    store.save(make_session("ours"))
    folder = tmp_path / "store"
    (folder / "own.json").write_bytes(BODY)
    with open_store(url, model=OwnSession) as own:
        own.save(OwnSession(id="user/1", turns=[{"said": "hello"}]))
    add_parts(store, "own")
    return folder


def test_a_check_reads_sessions_of_any_model_and_names_those_it_cannot_validate(run, url, with_own_models):
    shown = run.ok("check", url)
    assert "model\town.json\tno SessionData (" in shown
    assert "model\tuser%2F1.json\tno SessionData (" in shown
    assert "ours.json" not in shown
    assert "sessions  3 read, 2 of another model, 0 findings" in shown


def test_a_check_still_finds_damaged_sessions(run, url, with_own_models):
    ours = with_own_models / "ours.json"
    document = json.loads(ours.read_bytes())
    document["messages"] = "secret text"
    ours.write_text(json.dumps(document))
    (with_own_models / "other.json").write_text('{"id": "another"}')
    (with_own_models / "no-id.json").write_text('{"secret": "text"}')
    result = run("check", url)
    assert result.exit_code == 1
    for key in ("ours.json", "other.json", "no-id.json"):
        assert f"corrupted\t{key}\t" in result.stdout
    assert "sessions  5 read, 2 of another model, 3 findings" in result.stdout
    assert "secret" not in result.output


def test_a_session_of_another_model_is_shown_with_all_its_members(run, url, with_own_models):
    result = run("show", url, "own")
    assert result.exit_code == 0
    assert "note: session 'own' is no SessionData" in result.stderr
    assert result.stdout.startswith("own\n")
    for text in ("turns", '"said": "hi\\u001b"', "note", "two\n", "lines", "2 trace events", "2 files"):
        assert text in result.stdout
    assert "\x1b" not in result.stdout
    assert run.ok("show", url, "own", "--json").encode() == BODY


def test_sessions_of_any_model_are_copied_byte_for_byte_with_their_parts(
    run, url, other_url, with_own_models
):
    result = run("cp", url, other_url)
    assert result.stdout == "copied 3, same 0, conflicts 0\n"
    assert result.stderr == "note: 2 sessions of another model than SessionData: 'own', 'user/1'\n"
    assert tree(other_url) == tree(url)
    assert run.ok("cp", url, other_url) == "copied 0, same 3, conflicts 0\n"


def test_a_changed_session_of_another_model_is_a_conflict(run, url, other_url, with_own_models, tmp_path):
    run.ok("cp", url, other_url)
    (with_own_models / "own.json").write_bytes(BODY.replace(b"hi", b"bye"))
    assert run("cp", url, other_url).stdout == "copied 0, same 2, conflicts 1\n"
    assert (tmp_path / "other" / "own.json").read_bytes() == BODY
