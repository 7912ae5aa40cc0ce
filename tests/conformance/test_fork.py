"""Forks: a new session that begins as a copy of another, with its parts, in every bucket."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.conftest import Opener
from conformance.locations import on_every_kind, versioned, without_server
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from sessionbucket import (
    AccessDeniedError,
    Conversation,
    InvalidArgumentError,
    Message,
    SessionConflictError,
    SessionNotFoundError,
    VersionNotFoundError,
)
from sessionbucket.testing import AsyncFaultyBucket, FaultyBucket


def faulty(opener: Opener) -> Any:
    return opener.side.wrapper(opener.bucket(), FaultyBucket, AsyncFaultyBucket)


def filled(store: Any) -> Any:
    session = session_of("s", "one", "two", "three")
    store.save_turn(
        session,
        artifacts=artifacts_of("output"),
        trace_events=[event_of("x")],
        verification_reports=[report_of("y")],
    )
    store.put_file("s", "a/b.bin", b"bytes", content_type="application/x-b")
    return session


@on_every_kind
def test_a_fork_has_the_messages_parts_and_files_of_the_session(store: Any):
    session = filled(store)
    forked = store.fork("s", "s~2")
    assert (forked.id, forked.parent_id) == ("s~2", "s")
    loaded = store.load("s~2")
    assert loaded == forked
    assert loaded.messages == session.messages
    assert store.load_artifacts("s~2") == store.load_artifacts("s")
    assert store.load_trace_events("s~2") == store.load_trace_events("s")
    assert store.load_verification_reports("s~2") == store.load_verification_reports("s")
    with store.open_file("s~2", "a/b.bin") as file:
        assert file.read() == b"bytes"


def test_the_fork_and_the_session_go_their_own_ways(store: Any):
    session = session_of("s", "one")
    store.save(session)
    forked = store.fork("s", "t")
    say(forked, "two")
    store.save(forked)
    say(session, "other")
    store.save(session)
    assert texts_of(store.load("t")) == ["one", "two"]
    assert texts_of(store.load("s")) == ["one", "other"]


def test_a_fork_has_the_first_messages(store: Any):
    filled(store)
    assert texts_of(store.fork("s", "t", messages=2)) == ["one", "two"]
    assert texts_of(store.fork("s", "u", messages=0)) == []
    assert texts_of(store.load("t")) == ["one", "two"]
    assert texts_of(store.load("s")) == ["one", "two", "three"]


@pytest.mark.parametrize(("messages", "is_allowed"), [(1, True), (2, False), (3, True), (4, True)])
def test_a_cut_between_a_tool_call_and_its_result_is_refused(store: Any, messages: int, is_allowed: bool):
    session = session_of("s", "go")
    session.messages += [
        Message.tool_use("call-1", "ls", {}),
        Message.tool_result("call-1", "a b"),
        Message.tool_use("call-2", "rm", {}),  # interrupted: it has no result
    ]
    store.save(session)
    if is_allowed:
        assert len(store.fork("s", "t", messages=messages).messages) == messages
        return
    with pytest.raises(
        InvalidArgumentError, match="the result of the tool call 'call-1' is in a later message"
    ):
        store.fork("s", "t", messages=messages)
    assert store.list() == ["s"]


def test_a_bad_fork_writes_nothing(store: Any, opener: Opener):
    filled(store)
    store.save(session_of("taken", "old"))
    names = opener.names()
    with pytest.raises(SessionConflictError) as caught:
        store.fork("s", "taken")
    assert (caught.value.kind, caught.value.outcome) == ("exists", "not written")
    with pytest.raises(SessionNotFoundError):
        store.fork("missing", "new")
    with pytest.raises(InvalidArgumentError, match="has 3 messages"):
        store.fork("s", "new", messages=4)
    with pytest.raises(InvalidArgumentError):
        store.fork("s", "new", messages=-1)
    with pytest.raises(InvalidArgumentError):
        store.fork("s", "")
    assert opener.names() == names
    assert texts_of(store.load("taken")) == ["old"]


CALLS = [
    (
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1"}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1"}]},
    ),
    (
        {"role": "assistant", "tool_calls": [{"type": "function", "id": "1"}]},
        {"role": "tool", "tool_call_id": "1"},
    ),
    ({"type": "function_call", "call_id": "1"}, {"type": "function_call_output", "call_id": "1"}),
]


@without_server
@pytest.mark.parametrize("call", CALLS)
def test_a_conversation_is_forked_but_not_between_a_call_and_its_result(opener: Opener, call: Any):
    store = opener.store(model=Conversation)
    messages = [{"role": "user", "content": "Hi"}, *call]
    store.save(Conversation(id="c", title="t", messages=messages, unknown={"x": 1}))
    with pytest.raises(InvalidArgumentError, match="tool call '1'"):
        store.fork("c", "d", messages=2)
    assert store.list() == ["c"]
    forked = store.fork("c", "d", messages=1)
    assert forked == Conversation(id="d", title="t", messages=messages[:1], unknown={"x": 1})
    forked.messages[0]["content"] = "changed"
    store.save(forked)
    assert store.load("c").messages == store.fork("c", "e").messages == messages


@without_server
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_an_interrupted_fork_leaves_no_session_and_can_be_repeated(opener: Opener, nth: int):
    bucket = faulty(opener)
    store = opener.side.store(bucket)
    filled(store)
    denied = AccessDeniedError("no", location=store.location)
    bucket.fail("put" if nth < 4 else "copy", nth=nth if nth < 4 else 1, times=None, error=denied)
    with pytest.raises(AccessDeniedError):
        store.fork("s", "t")
    bucket.clear_faults()
    assert not store.exists("t")
    store.fork("s", "t")
    assert store.load_trace_events("t") == store.load_trace_events("s")
    assert texts_of(store.load("t")) == ["one", "two", "three"]


@without_server
def test_a_fork_replaces_no_part_of_another_writer(opener: Opener):
    store = opener.store()
    filled(store)
    store.save_trace_events("t", [event_of("of another")])
    with pytest.raises(SessionConflictError):
        store.fork("s", "t")
    assert store.load_trace_events("t") == [event_of("of another")]
    store.delete("t")
    store.put_file("t", "a/b.bin", b"other bytes")
    with pytest.raises(SessionConflictError):
        store.fork("s", "t")
    with store.open_file("t", "a/b.bin") as file:
        assert file.read() == b"other bytes"


@without_server
def test_of_two_forks_to_one_id_one_wins(opener: Opener):
    bucket = faulty(opener)
    store, other = opener.side.store(bucket), opener.store()
    filled(store)
    other.save(session_of("o", "other"))
    bucket.run_before(lambda: other.fork("o", "t"), "put", key="t.json")
    with pytest.raises(SessionConflictError):
        store.fork("s", "t")
    assert texts_of(store.load("t")) == ["other"]


@versioned
def test_a_fork_of_an_earlier_version(store: Any):
    session = session_of("s", "one")
    store.save(session)
    say(session, "two")
    store.save(session)
    old = list(store.history.versions("s"))[-1]
    assert texts_of(store.fork("s", "t", version=old.version_id)) == ["one"]
    store.delete("s")
    assert texts_of(store.fork("s", "u", version=old.version_id)) == ["one"]
    with pytest.raises(VersionNotFoundError):
        store.fork("s", "v", version="0" * 32)
