"""The store: sessions that a3s-code wrote under its own names, the legacy names."""

from __future__ import annotations

import pytest

from conformance.conftest import Opener
from conformance.locations import on_every_kind
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from sessionbucket import SessionConflictError, SessionCorruptedError, SessionData
from sessionbucket._codec import codec_of

CASES = [
    ("foo/bar", "foo_bar"),
    ("schedule:nightly", "schedule:nightly"),
    ("../../../etc/passwd", "______etc_passwd"),
    ("foo/bar\\baz..qux", "foo_bar_baz_qux"),
    ("...", "_."),
    ("mit Leerzeichen é", "mit Leerzeichen é"),
]

OPAQUE = ("runs", "subagent_tasks")
OPAQUE_BODY = b'[ {"no": "layout of ours", "no": 1e400} '
"""Not even JSON: the library never parses these parts."""


def body_of(session: SessionData) -> bytes:
    return codec_of(SessionData).encode(session, key="")


def write_legacy(opener: Opener, id: str, stem: str, *, parts: bool = False) -> bytes:
    """Write a session under the name that a3s-code gives it, and return its body."""
    body = body_of(session_of(id, "of a3s-code"))
    opener.write(f"{stem}.json", body)
    if parts:
        elsewhere = opener.store("elsewhere")
        elsewhere.save_artifacts(stem, artifacts_of(f"artifact of {id}"))
        elsewhere.save_trace_events(stem, [event_of(f"event of {id}")])
        elsewhere.save_verification_reports(stem, [report_of(f"report of {id}")])
        keys = elsewhere._keys.of_session(stem)
        for key, name in (
            (keys.artifacts, f"artifacts/{stem}/artifacts.json"),
            (keys.traces, f"traces/{stem}.json"),
            (keys.verification, f"verification/{stem}.json"),
        ):
            found = elsewhere.bucket.get(key, max_bytes=1 << 20)
            assert found is not None
            opener.write(name, found.body)
        elsewhere.delete(stem)
        for folder in OPAQUE:
            opener.write(f"{folder}/{stem}.json", OPAQUE_BODY)
    return body


def names_of(stem: str) -> list[str]:
    """The names of a session with all the parts that a3s-code writes."""
    folders = ("traces", "verification", *OPAQUE)
    names = (f"artifacts/{stem}/artifacts.json", *(f"{folder}/{stem}.json" for folder in folders))
    return sorted((f"{stem}.json", *names))


@pytest.mark.parametrize(("id", "stem"), CASES)
def test_a_session_is_found_under_its_legacy_name(opener: Opener, id: str, stem: str):
    write_legacy(opener, id, stem, parts=True)
    store = opener.store()
    assert store.exists(id)
    assert texts_of(store.load(id)) == ["of a3s-code"]
    assert store.load_artifacts(id) == artifacts_of(f"artifact of {id}")
    assert store.load_trace_events(id) == [event_of(f"event of {id}")]
    assert store.load_verification_reports(id) == [report_of(f"report of {id}")]
    assert opener.names() == names_of(stem)


@on_every_kind
@pytest.mark.parametrize(("id", "stem"), CASES)
def test_a_session_and_its_parts_keep_their_keys(opener: Opener, id: str, stem: str):
    write_legacy(opener, id, stem, parts=True)
    store = opener.store()
    session = store.load(id)
    say(session, "more")
    store.save_turn(
        session,
        artifacts=artifacts_of("newer artifact"),
        trace_events=[event_of("newer event")],
        verification_reports=[report_of("newer report")],
    )
    say(session, "and more")
    store.save(session)
    assert opener.names() == names_of(stem)
    again = opener.store()
    assert texts_of(again.load(id)) == ["of a3s-code", "more", "and more"]
    assert again.load_artifacts(id) == artifacts_of("newer artifact")
    assert again.load_trace_events(id) == [event_of("newer event")]
    assert again.load_verification_reports(id) == [report_of("newer report")]
    assert [opener.read(f"{folder}/{stem}.json") for folder in OPAQUE] == [OPAQUE_BODY] * 2


def test_a_save_does_not_bring_back_a_session_that_was_deleted_under_its_legacy_name(opener: Opener):
    write_legacy(opener, "foo/bar", "foo_bar")
    one, other = opener.store(), opener.store()
    session = one.load("foo/bar")
    other.delete("foo/bar")
    say(session, "more")
    with pytest.raises(SessionConflictError) as caught:
        one.save(session)
    assert caught.value.kind in {"deleted", "changed"}
    assert opener.names() == []
    with pytest.raises(SessionConflictError):
        one.save_turn(session, trace_events=[event_of("late")])
    assert opener.names() == []


def test_a_stale_turn_of_a_new_session_writes_no_part_over_those_under_the_legacy_name(opener: Opener):
    write_legacy(opener, "foo/bar", "foo_bar", parts=True)
    before = {name: opener.read(name) for name in opener.names()}
    with pytest.raises(SessionConflictError):
        opener.store().save_turn(session_of("foo/bar", "new"), trace_events=[event_of("new")])
    assert {name: opener.read(name) for name in opener.names()} == before


@pytest.mark.parametrize(("id", "stem"), CASES)
def test_delete_removes_a_session_under_its_legacy_name(opener: Opener, id: str, stem: str):
    write_legacy(opener, id, stem, parts=True)
    store = opener.store()
    store.delete(id)
    assert opener.names() == []
    assert not store.exists(id)


def test_update_changes_a_session_under_its_legacy_name(opener: Opener):
    write_legacy(opener, "foo/bar", "foo_bar")
    store = opener.store()
    store.update("foo/bar", lambda session: say(session, "more"))
    assert opener.names() == ["foo_bar.json"]
    assert texts_of(store.load("foo/bar")) == ["of a3s-code", "more"]


def test_a_create_does_not_hide_a_session_under_its_legacy_name(opener: Opener):
    body = write_legacy(opener, "foo/bar", "foo_bar")
    store = opener.store()
    with pytest.raises(SessionConflictError) as caught:
        store.save(session_of("foo/bar", "new"))
    assert caught.value.key == opener.location.key("foo_bar.json")
    assert opener.names() == ["foo_bar.json"]
    assert opener.read("foo_bar.json") == body
    store.save(session_of("foo/bar", "forced"), overwrite=True)
    assert opener.names() == ["foo_bar.json"]
    assert texts_of(store.load("foo/bar")) == ["forced"]


def test_a_save_of_a_session_that_a3s_code_has_changed_is_a_conflict(opener: Opener):
    write_legacy(opener, "foo/bar", "foo_bar")
    store = opener.store()
    session = store.load("foo/bar")
    newer = body_of(session_of("foo/bar", "newer"))
    opener.write("foo_bar.json", newer)
    say(session, "mine")
    with pytest.raises(SessionConflictError):
        store.save(session)
    assert opener.names() == ["foo_bar.json"]
    assert opener.read("foo_bar.json") == newer


def test_a_save_of_a_session_that_another_store_has_changed_is_a_conflict(opener: Opener):
    write_legacy(opener, "foo/bar", "foo_bar")
    one, other = opener.store(), opener.store()
    mine, theirs = one.load("foo/bar"), other.load("foo/bar")
    say(theirs, "theirs")
    other.save(theirs)
    say(mine, "mine")
    with pytest.raises(SessionConflictError):
        one.save(mine)
    assert texts_of(one.load("foo/bar")) == ["of a3s-code", "theirs"]


def test_an_id_does_not_get_the_session_of_another_id_with_the_same_legacy_name(opener: Opener):
    body = write_legacy(opener, "foo/bar", "foo_bar")
    store = opener.store()
    for other in ("foo\\bar", "foo..bar"):
        assert store.load(other) is None
        assert not store.exists(other)
        store.delete(other)
        store.save(session_of(other, f"I am {other}"))
    assert texts_of(store.load("foo/bar")) == ["of a3s-code"]
    assert texts_of(store.load("foo..bar")) == ["I am foo..bar"]
    assert opener.read("foo_bar.json") == body


def test_a_session_under_its_legacy_name_is_listed_by_stem_and_does_not_load_by_stem(opener: Opener):
    body = write_legacy(opener, "foo/bar", "foo_bar")
    store = opener.store()
    assert store.list() == ["foo_bar"]
    with pytest.raises(SessionCorruptedError, match="foo/bar"):
        store.load("foo_bar")
    with pytest.raises(SessionConflictError):
        store.save(session_of("foo_bar"))
    assert opener.read("foo_bar.json") == body


def test_a_damaged_object_under_a_legacy_name_is_no_session(opener: Opener):
    for damage in (b"", b"{", b"[]", b"null", b"[" * 100_000):
        opener.write("foo_bar.json", damage or b" ")
        store = opener.store()
        assert store.load("foo/bar") is None
        assert not store.exists("foo/bar")


def test_events_are_appended_to_those_under_the_legacy_name(opener: Opener):
    write_legacy(opener, "foo/bar", "foo_bar", parts=True)
    store = opener.store()
    store.append_trace_events("foo/bar", [event_of("new")])
    assert store.load_trace_events("foo/bar") == [event_of("event of foo/bar"), event_of("new")]
    session = store.load("foo/bar")
    say(session, "more")
    store.save(session)
    assert store.load_trace_events("foo/bar") == [event_of("event of foo/bar"), event_of("new")]
    assert opener.names() == names_of("foo_bar")


def test_a_folder_of_a3s_code_is_a_valid_store(opener: Opener):
    """With the ``.health_check``, temporary files and empty names that its file store leaves."""
    opener.write("test-session-1.json", body_of(session_of("test-session-1", "Hello")))
    opener.write("test-session-1.json.1719831600000000000.4711.tmp", b"{")
    opener.write(".health_check", b"ok")
    opener.write(".json", body_of(session_of("x", "of the empty id")))
    store = opener.store()
    assert store.list() == ["test-session-1"]
    assert texts_of(store.load("test-session-1")) == ["Hello"]


def test_an_overwrite_or_delete_leaves_another_session_that_lies_at_its_key(opener: Opener):
    body = write_legacy(opener, "foo/bar", "foo_bar", parts=True)
    names = opener.names()
    store = opener.store()
    with pytest.raises(SessionCorruptedError, match="'foo/bar'"):
        store.delete("foo_bar")
    with pytest.raises(SessionCorruptedError, match="'foo/bar'"):
        store.save(session_of("foo_bar"), overwrite=True)
    assert opener.read("foo_bar.json") == body
    assert opener.names() == names
    store.delete("foo/bar")
    assert opener.names() == []


def test_an_object_that_is_no_session_can_be_deleted_and_overwritten(opener: Opener):
    opener.write("truncated_one.json", b"{")
    opener.write("truncated_two.json", b'{"id": "another"}')
    store = opener.store()
    store.delete("truncated_one")
    store.save(session_of("truncated_two", "new"), overwrite=True)
    assert texts_of(store.load("truncated_two")) == ["new"]
    assert store.list() == ["truncated_two"]
