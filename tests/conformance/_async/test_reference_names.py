"""The store: sessions that a3s-code wrote under names of its own making."""

from __future__ import annotations

import pytest

from conformance._async.conftest import Opener
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from sessionbucket import SessionConflictError, SessionCorruptedError, SessionData
from sessionbucket._codec import Codec

CASES = [
    ("foo/bar", "foo_bar"),
    ("schedule:nightly", "schedule:nightly"),
    ("../../../etc/passwd", "______etc_passwd"),
    ("foo/bar\\baz..qux", "foo_bar_baz_qux"),
    ("...", "_."),
    ("mit Leerzeichen é", "mit Leerzeichen é"),
]


def body_of(session: SessionData) -> bytes:
    return Codec[SessionData](SessionData).encode(session, key="")


async def leave(opener: Opener, id: str, stem: str, *, parts: bool = False) -> bytes:
    """Leave a session as a3s-code does; gives its body."""
    body = body_of(session_of(id, "of a3s-code"))
    await opener.write(f"{stem}.json", body)
    if parts:
        elsewhere = opener.store("elsewhere")
        await elsewhere.save_artifacts(stem, artifacts_of(f"artifact of {id}"))
        await elsewhere.save_trace_events(stem, [event_of(f"event of {id}")])
        await elsewhere.save_verification_reports(stem, [report_of(f"report of {id}")])
        keys = elsewhere._layout.keys(stem)
        for key, name in (
            (keys.artifacts, f"artifacts/{stem}/artifacts.json"),
            (keys.traces, f"traces/{stem}.json"),
            (keys.verification, f"verification/{stem}.json"),
        ):
            found = await elsewhere.bucket.get(key, max_bytes=1 << 20)
            assert found is not None
            await opener.write(name, found.body)
        await elsewhere.delete(stem)
    return body


@pytest.mark.parametrize(("id", "stem"), CASES)
async def test_a_session_is_found_under_the_name_a3s_code_gave_it(opener: Opener, id: str, stem: str):
    await leave(opener, id, stem, parts=True)
    store = opener.store()
    assert await store.exists(id)
    assert texts_of(await store.load(id)) == ["of a3s-code"]
    assert await store.load_artifacts(id) == artifacts_of(f"artifact of {id}")
    assert await store.load_trace_events(id) == [event_of(f"event of {id}")]
    assert await store.load_verification_reports(id) == [report_of(f"report of {id}")]
    assert len(await opener.names()) == 4


@pytest.mark.parametrize(("id", "stem"), CASES)
async def test_a_save_moves_the_session_and_its_parts_to_their_own_keys(opener: Opener, id: str, stem: str):
    await leave(opener, id, stem, parts=True)
    store = opener.store()
    session = await store.load(id)
    say(session, "more")
    await store.save(session)
    own = store._layout.keys(id)
    root = opener.location.key("")
    moved = sorted(
        key.removeprefix(root) for key in (own.session, own.artifacts, own.traces, own.verification)
    )
    assert await opener.names() == moved
    again = opener.store()
    assert texts_of(await again.load(id)) == ["of a3s-code", "more"]
    assert await again.load_artifacts(id) == artifacts_of(f"artifact of {id}")
    assert await again.load_trace_events(id) == [event_of(f"event of {id}")]
    assert await again.load_verification_reports(id) == [report_of(f"report of {id}")]
    assert await again.list() == [id]
    say(session, "and more")
    await store.save(session)


@pytest.mark.parametrize(("id", "stem"), CASES)
async def test_delete_takes_a_session_under_its_old_name_too(opener: Opener, id: str, stem: str):
    await leave(opener, id, stem, parts=True)
    store = opener.store()
    await store.delete(id)
    assert await opener.names() == []
    assert not await store.exists(id)


async def test_update_works_on_a_session_under_its_old_name(opener: Opener):
    await leave(opener, "foo/bar", "foo_bar")
    store = opener.store()
    await store.update("foo/bar", lambda session: say(session, "more"))
    assert await opener.names() == ["foo%2Fbar.json"]
    assert texts_of(await store.load("foo/bar")) == ["of a3s-code", "more"]


async def test_a_create_does_not_hide_a_session_under_its_old_name(opener: Opener):
    body = await leave(opener, "foo/bar", "foo_bar")
    store = opener.store()
    with pytest.raises(SessionConflictError) as caught:
        await store.save(session_of("foo/bar", "new"))
    assert caught.value.key == opener.location.key("foo_bar.json")
    assert await opener.names() == ["foo_bar.json"]
    assert await opener.read("foo_bar.json") == body
    await store.save(session_of("foo/bar", "forced"), overwrite=True)
    assert await opener.names() == ["foo%2Fbar.json"]
    assert texts_of(await store.load("foo/bar")) == ["forced"]


async def test_a_session_that_a3s_code_changed_meanwhile_is_a_conflict(opener: Opener):
    await leave(opener, "foo/bar", "foo_bar")
    store = opener.store()
    session = await store.load("foo/bar")
    newer = body_of(session_of("foo/bar", "newer"))
    await opener.write("foo_bar.json", newer)
    say(session, "mine")
    with pytest.raises(SessionConflictError):
        await store.save(session)
    assert await opener.names() == ["foo_bar.json"]
    assert await opener.read("foo_bar.json") == newer


async def test_a_session_that_moved_meanwhile_is_a_conflict(opener: Opener):
    await leave(opener, "foo/bar", "foo_bar")
    one, other = opener.store(), opener.store()
    mine, theirs = await one.load("foo/bar"), await other.load("foo/bar")
    say(theirs, "theirs")
    await other.save(theirs)
    say(mine, "mine")
    with pytest.raises(SessionConflictError):
        await one.save(mine)
    assert texts_of(await one.load("foo/bar")) == ["of a3s-code", "theirs"]


async def test_one_name_is_not_taken_for_another_ids_session(opener: Opener):
    body = await leave(opener, "foo/bar", "foo_bar")
    store = opener.store()
    for other in ("foo\\bar", "foo..bar"):
        assert await store.load(other) is None
        assert not await store.exists(other)
        await store.delete(other)
        await store.save(session_of(other, f"I am {other}"))
    assert texts_of(await store.load("foo/bar")) == ["of a3s-code"]
    assert texts_of(await store.load("foo..bar")) == ["I am foo..bar"]
    assert await opener.read("foo_bar.json") == body


async def test_a_session_under_its_old_name_is_listed_by_stem_and_an_error_by_stem(opener: Opener):
    body = await leave(opener, "foo/bar", "foo_bar")
    store = opener.store()
    assert await store.list() == ["foo_bar"]
    with pytest.raises(SessionCorruptedError, match="foo/bar"):
        await store.load("foo_bar")
    with pytest.raises(SessionConflictError):
        await store.save(session_of("foo_bar"))
    assert await opener.read("foo_bar.json") == body


async def test_a_damaged_file_under_an_old_name_is_nobodys_session(opener: Opener):
    for damage in (b"", b"{", b"[]", b"null", b"[" * 100_000):
        await opener.write("foo_bar.json", damage or b" ")
        store = opener.store()
        assert await store.load("foo/bar") is None
        assert not await store.exists("foo/bar")


async def test_events_are_appended_to_those_under_the_old_name(opener: Opener):
    await leave(opener, "foo/bar", "foo_bar", parts=True)
    store = opener.store()
    await store.append_trace_events("foo/bar", [event_of("new")])
    assert await store.load_trace_events("foo/bar") == [event_of("event of foo/bar"), event_of("new")]
    session = await store.load("foo/bar")
    say(session, "more")
    await store.save(session)
    assert await store.load_trace_events("foo/bar") == [event_of("event of foo/bar"), event_of("new")]
    assert "traces/foo_bar.json" not in await opener.names()


async def test_an_a3s_code_folder_is_a_store_as_it_is(opener: Opener):
    """``.health_check``, leftovers and empty names, as its file store leaves them."""
    await opener.write("test-session-1.json", body_of(session_of("test-session-1", "Hello")))
    await opener.write("test-session-1.json.1719831600000000000.4711.tmp", b"{")
    await opener.write(".health_check", b"ok")
    await opener.write(".json", body_of(session_of("x", "of the empty id")))
    store = opener.store()
    assert await store.list() == ["test-session-1"]
    assert texts_of(await store.load("test-session-1")) == ["Hello"]


async def test_an_overwrite_or_delete_does_not_take_another_session_that_lies_at_its_key(opener: Opener):
    body = await leave(opener, "foo/bar", "foo_bar", parts=True)
    names = await opener.names()
    store = opener.store()
    with pytest.raises(SessionCorruptedError, match="'foo/bar'"):
        await store.delete("foo_bar")
    with pytest.raises(SessionCorruptedError, match="'foo/bar'"):
        await store.save(session_of("foo_bar"), overwrite=True)
    assert await opener.read("foo_bar.json") == body
    assert await opener.names() == names
    await store.delete("foo/bar")
    assert await opener.names() == []


async def test_what_is_no_session_can_be_deleted_and_overwritten(opener: Opener):
    await opener.write("torn_one.json", b"{")
    await opener.write("torn_two.json", b'{"id": "another"}')
    store = opener.store()
    await store.delete("torn_one")
    await store.save(session_of("torn_two", "new"), overwrite=True)
    assert texts_of(await store.load("torn_two")) == ["new"]
    assert await store.list() == ["torn_two"]
