"""``show``: a session as a conversation, or byte for byte."""

from __future__ import annotations

import pytest

from cli.command_line import add_parts, make_session
from sessionbucket import Message, SessionData
from sessionbucket.models import (
    ImageBlock,
    LlmConfigData,
    Task,
    TaskStatus,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
)


@pytest.fixture
def session() -> SessionData:
    session = make_session("trip", "book me a flight")
    session.config.name = "the trip"
    session.model_name = "gpt-4o"
    session.total_usage.total_tokens = 12_345
    session.total_cost = 0.25
    call = ToolUseBlock(id="call-1", name="find_flights", input={"to": "Zürich", "seats": [1, 2]})
    image = ImageBlock.from_bytes(b"x" * 1500, "image/png")
    session.messages += [
        Message(role="assistant", content=[call], reasoning_content="first look for flights"),
        Message.tool_result("call-1", "timetable is down", is_error=True),
        Message.user("here is a picture", images=[image]),
        Message(role="user", content=[ToolResultBlock(tool_use_id="call-2", content=[TextBlock(text="x")])]),
    ]
    session.tasks = [Task(id="1", content="find a flight", status=TaskStatus.IN_PROGRESS)]
    return session


def test_the_header_describes_the_session(run, store, url, session):
    store.save(session)
    shown = run.ok("show", "trip", "--store", url)
    assert shown.startswith("trip\n")
    for text in ("the trip", "gpt-4o", "Unknown", "2023-11-14 22:13:20 UTC", "12,345", "$0.2500"):
        assert text in shown
    assert "messages  5" in shown


def test_every_block_of_a_conversation_is_shown(run, store, url, session):
    store.save(session)
    shown = run.ok("show", "trip", "--store", url)
    assert "1 user" in shown
    assert "2 assistant" in shown
    assert "first look for flights" in shown
    assert "→ find_flights  call-1" in shown
    assert '"to": "Zürich"' in shown
    assert "✗ error from find_flights  call-1" in shown
    assert "timetable is down" in shown
    assert "[image image/png, 1.5 kB]" in shown
    assert "← result  call-2" in shown
    assert "in_progress find a flight  medium" in shown


def test_a_terminal_gets_colours_and_a_pipe_does_not(run, store, url, session, monkeypatch):
    store.save(session)
    assert "\x1b[" not in run.ok("show", "trip", "--store", url)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;36m1 user" in run.ok("show", "trip", "--store", url)


def test_a_line_in_a_pipe_is_never_cut(run, store, url):
    text = "word " * 100 + "end"
    store.save(make_session("long", text))
    assert text in run.ok("show", "long", "--store", url)


def test_the_parts_of_the_session_are_counted(run, store, url, session):
    store.save(session)
    add_parts(store, "trip")
    shown = run.ok("show", "trip", "--store", url)
    assert "1 artifact, 2 trace events, 1 verification report, 2 files (4.0 kB)" in shown


def test_a_corrupted_part_does_not_hide_the_conversation(run, store, url, session, tmp_path):
    store.save(session)
    add_parts(store, "trip")
    (tmp_path / "store" / "traces" / "trip.json").write_bytes(b"{")
    shown = run.ok("show", "trip", "--store", url)
    assert "trace events that cannot be read" in shown
    assert "book me a flight" in shown


def test_control_characters_and_markup_are_shown_as_text(run, store, url, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    store.save(
        make_session("odd", "\x1b]0;owned\x07 [red]not markup[/red] :smile: \u202eright", "a\r\nb\n  c")
    )
    shown = run.ok("show", "odd", "--store", url)
    assert r"\x1b]0;owned\x07 [red]not markup[/red] :smile: \u202eright" in shown
    assert "\x1b]" not in shown
    assert "    c" in shown


def test_a_date_outside_every_calendar_is_shown_as_its_number(run, store, url):
    session = make_session("far")
    session.created_at = 2**62
    store.save(session)
    assert str(2**62) in run.ok("show", "far", "--store", url)


def test_json_is_the_object_byte_for_byte(run, store, url, session, tmp_path):
    store.save(session)
    stored = (tmp_path / "store" / "trip.json").read_bytes()
    assert run("show", "trip", "--store", url, "--json").stdout_bytes == stored


def test_json_shows_even_a_corrupted_object(run, store, url, tmp_path):
    (tmp_path / "store" / "broken.json").write_bytes(b'{"id": \xff')
    assert run("show", "broken", "--store", url, "--json").stdout_bytes == b'{"id": \xff'


def test_a_session_under_its_legacy_name_is_found(run, store, url, tmp_path):
    store.save(make_session("a/b"))
    (tmp_path / "store" / "a%2Fb.json").rename(tmp_path / "store" / "a_b.json")
    assert run.ok("show", "a/b", "--store", url).startswith("a/b\n")
    assert '"id": "a/b"' in run.ok("show", "a/b", "--store", url, "--json")


def test_a_legacy_name_with_another_session_is_not_shown(run, store, url):
    store.save(make_session("a_b"))
    assert "does not exist" in run.error("show", "a/b", "--store", url, "--json")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_missing_session_is_one_line(run, store, url, options):
    assert "session 'nope' does not exist in file://" in run.error("show", "nope", "--store", url, *options)


def test_a_corrupted_session_is_one_line_without_its_text(run, store, url, tmp_path):
    (tmp_path / "store" / "broken.json").write_bytes(b'{"id": "broken", "secret text"')
    message = run.error("show", "broken", "--store", url)
    assert "broken.json" in message
    assert "secret text" not in message


def test_the_model_of_the_config_is_shown_when_the_session_has_no_model_name(run, store, url):
    session = make_session("a")
    session.llm_config = LlmConfigData(provider="openai", model="gpt-5", api_key="sk-secret")
    store.save(session)
    shown = run.ok("show", "a", "--store", url)
    assert "gpt-5" in shown
    assert "sk-secret" not in shown
