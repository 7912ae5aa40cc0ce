"""The store: sessions one at a time. Restates the reference system's own tests of its file store, and more."""

from __future__ import annotations

from typing import Any

import pytest

from conformance._async.conftest import Opener
from conformance.locations import FIXTURES
from conformance.samples import artifacts_of, event_of, report_of, say, session_of, texts_of
from sessionbucket import (
    AsyncSessionStore,
    InvalidArgumentError,
    InvalidSessionIdError,
    SessionCorruptedError,
    SessionData,
    SessionTooLargeError,
)

ODD_IDS = [
    "a/b\\c..d",
    "../../../etc/passwd",
    "..",
    ".",
    ".hidden",
    "schedule:nightly",
    "with space",
    "100%",
    "a%2Fb",
    "ünïcödé",
    "😀",
    "line\nbreak",
    "artifacts",
    "traces",
    "a" * 200,
    "CON",
    "a.json",
    "-rf",
    "\x7f",
    "\u2028",
]


@pytest.mark.parametrize("name", ["session_min.json", "session_policies.json"], ids=lambda name: name[:-5])
async def test_a_golden_session_comes_back_byte_for_byte(
    async_store: AsyncSessionStore[Any], opener: Opener, name: str
):
    body = (FIXTURES / "a3s" / name).read_bytes()
    session = SessionData.model_validate_json(body)
    stem = session.id
    await opener.write(f"{stem}.json", body)
    loaded = await async_store.load(stem)
    assert loaded is not None
    await async_store.save(loaded, overwrite=True)
    assert await opener.read(f"{stem}.json") == body


async def test_real_sessions_come_back_byte_for_byte(async_store: AsyncSessionStore[Any], opener: Opener):
    for path in sorted((FIXTURES / "real").glob("*.json")):
        body = path.read_bytes()
        session = SessionData.model_validate_json(body)
        await async_store.save(session)
        assert await async_store.load(session.id) == session
        assert await opener.read(f"{session.id}.json") == body, path.name


async def test_a_saved_session_is_what_load_gives(async_store: AsyncSessionStore[Any]):
    session = session_of("s", "Hello", "Hi there!")
    await async_store.save(session)
    loaded = await async_store.load("s")
    assert loaded == session
    assert loaded is not session
    assert isinstance(loaded, SessionData)


async def test_a_missing_session_is_none(async_store: AsyncSessionStore[Any]):
    assert await async_store.load("nothing") is None
    assert await async_store.load("no/thing") is None
    assert not await async_store.exists("nothing")
    assert not await async_store.exists("no/thing")


async def test_a_save_of_a_loaded_session_replaces_it(async_store: AsyncSessionStore[Any]):
    session = session_of("s", "one")
    await async_store.save(session)
    loaded = await async_store.load("s")
    say(loaded, "two")
    await async_store.save(loaded)
    say(loaded, "three")
    await async_store.save(loaded)
    assert texts_of(await async_store.load("s")) == ["one", "two", "three"]


async def test_a_save_of_the_same_bytes_is_fine(async_store: AsyncSessionStore[Any]):
    session = session_of("s")
    await async_store.save(session)
    await async_store.save(session)
    say(session, "more")
    await async_store.save(session)


async def test_a_store_changes_nothing_in_the_session(async_store: AsyncSessionStore[Any]):
    session = session_of("s")
    before = session.model_dump_json()
    await async_store.save(session)
    assert session.model_dump_json() == before


async def test_delete_removes_the_session_and_every_part(async_store: AsyncSessionStore[Any], opener: Opener):
    for id in ("s", "t"):
        await async_store.save(session_of(id))
        await async_store.save_artifacts(id, artifacts_of("one"))
        await async_store.save_trace_events(id, [event_of("read")])
        await async_store.save_verification_reports(id, [report_of("program:test")])
        await async_store.put_file(id, "image.png", b"png")
        await async_store.put_file(id, "notes/today.txt", b"text")
    await async_store.delete("s")
    assert await opener.names() == [
        "artifacts/t/artifacts.json",
        "artifacts/t/files/image.png",
        "artifacts/t/files/notes%2Ftoday.txt",
        "t.json",
        "traces/t.json",
        "verification/t.json",
    ]
    assert await async_store.load_artifacts("s") is None
    await async_store.delete("s")
    assert await async_store.list() == ["t"]


async def test_delete_of_what_is_not_there_is_fine(async_store: AsyncSessionStore[Any]):
    await async_store.delete("nothing")
    await async_store.delete("no/thing")


async def test_delete_takes_no_session_of_a_like_name(async_store: AsyncSessionStore[Any]):
    ids = ["s", "s.t", "s/t", "s-t", "ss"]
    for id in ids:
        await async_store.save(session_of(id))
        await async_store.save_artifacts(id, artifacts_of(id))
    await async_store.delete("s")
    assert sorted(await async_store.list()) == sorted(ids[1:])
    for id in ids[1:]:
        assert (await async_store.load_artifacts(id)) == artifacts_of(id)


async def test_odd_ids_are_ids_like_any_other(async_store: AsyncSessionStore[Any], opener: Opener):
    for id in ODD_IDS:
        await async_store.save(session_of(id, f"I am {id!r}"))
        await async_store.save_trace_events(id, [event_of(f"of {id!r}")])
    assert set(await async_store.list()) == set(ODD_IDS)
    assert len(await async_store.list()) == len(ODD_IDS)
    for id in ODD_IDS:
        assert texts_of(await async_store.load(id)) == [f"I am {id!r}"]
        assert (await async_store.load_trace_events(id)) == [event_of(f"of {id!r}")]
    for name in await opener.names():
        assert name.count("/") == (1 if name.startswith("traces/") else 0)
        assert ".." not in name.split("/")
    for id in ODD_IDS:
        await async_store.delete(id)
    assert await opener.names() == []


@pytest.mark.parametrize("id", ["", "a\0b", "é" * 100, "a" * 201, "\ud800"])
async def test_a_bad_id_is_refused_by_every_method(
    async_store: AsyncSessionStore[Any], opener: Opener, id: str
):
    calls: list[Any] = [
        lambda: async_store.save(SessionData.model_construct(**{**session_of("s").__dict__, "id": id})),
        lambda: async_store.load(id),
        lambda: async_store.exists(id),
        lambda: async_store.delete(id),
        lambda: async_store.update(id, lambda session: None),
        lambda: async_store.save_artifacts(id, artifacts_of("x")),
        lambda: async_store.load_artifacts(id),
        lambda: async_store.append_trace_events(id, [event_of("x")]),
        lambda: async_store.put_file(id, "name", b"x"),
        lambda: async_store.open_file(id, "name"),
        lambda: async_store.list_files(id),
        lambda: async_store.delete_file(id, "name"),
    ]
    for call in calls:
        with pytest.raises((InvalidSessionIdError, InvalidArgumentError)) as caught:
            await call()
        assert isinstance(caught.value, ValueError)
    assert await opener.names() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"not json",
        b'{"id": "s"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe",
        b"{}\n{}",
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
async def test_a_damaged_session_is_an_error_that_names_the_key(
    async_store: AsyncSessionStore[Any], opener: Opener, body: bytes
):
    await opener.write("s.json", body)
    with pytest.raises(SessionCorruptedError) as caught:
        await async_store.load("s")
    assert caught.value.key == opener.location.key("s.json")
    assert await opener.read("s.json") == body
    assert await async_store.exists("s")
    assert await async_store.list() == ["s"]


async def test_a_cut_off_session_is_an_error_wherever_it_is_cut(
    async_store: AsyncSessionStore[Any], opener: Opener
):
    await async_store.save(session_of("s", "é" * 30))
    body = await opener.read("s.json")
    for cut in range(1, len(body), len(body) // 12):
        await opener.write("s.json", body[:cut])
        with pytest.raises(SessionCorruptedError):
            await async_store.load("s")


async def test_a_damaged_session_can_be_overwritten_or_deleted(
    async_store: AsyncSessionStore[Any], opener: Opener
):
    await opener.write("s.json", b"{")
    await opener.write("t.json", b"{")
    await async_store.save(session_of("s", "whole again"), overwrite=True)
    assert texts_of(await async_store.load("s")) == ["whole again"]
    await async_store.delete("t")
    assert await async_store.list() == ["s"]


async def test_a_session_under_another_ones_key_is_never_given_as_that_one(
    async_store: AsyncSessionStore[Any], opener: Opener
):
    await async_store.save(session_of("one"))
    body = await opener.read("one.json")
    await opener.write("other.json", body)
    with pytest.raises(SessionCorruptedError, match="'one'") as caught:
        await async_store.load("other")
    assert caught.value.key == opener.location.key("other.json")
    assert await opener.read("other.json") == body


async def test_a_session_over_the_limit_is_neither_written_nor_read(opener: Opener):
    small, large = opener.store(max_bytes=2000), opener.store()
    await small.save(session_of("fits"))
    big = session_of("big", "x" * 3000)
    with pytest.raises(SessionTooLargeError) as caught:
        await small.save(big)
    assert caught.value.size > caught.value.limit == 2000
    assert await small.list() == ["fits"]
    await large.save(big)
    with pytest.raises(SessionTooLargeError):
        await small.load("big")
    assert texts_of(await large.load("big")) == ["x" * 3000]


async def test_a_session_that_json_cannot_hold_is_refused_and_nothing_is_written(
    async_store: AsyncSessionStore[Any], opener: Opener
):
    for broken in (float("nan"), float("inf")):
        session = session_of("s")
        session.total_cost = broken
        with pytest.raises(InvalidArgumentError, match="total_cost"):
            await async_store.save(session)
    session = session_of("s")
    session.messages[0].content[0].text = "\ud800"
    with pytest.raises(InvalidArgumentError):
        await async_store.save(session)
    assert await opener.names() == []


async def test_stores_with_different_prefixes_do_not_see_each_other(opener: Opener):
    stores = [opener.store(prefix) for prefix in ("", "team", "team/a", "teams", "ünï cödé")]
    for number, store in enumerate(stores):
        await store.save(session_of("s", f"store {number}"))
        await store.save_trace_events("s", [event_of(f"event {number}")])
    for number, store in enumerate(stores):
        assert texts_of(await store.load("s")) == [f"store {number}"]
        assert await store.list() == ["s"]
    await stores[1].delete("s")
    assert [await store.list() for store in stores] == [["s"], [], ["s"], ["s"], ["s"]]


async def test_a_store_is_a_context_and_may_be_used_again_after_it(opener: Opener):
    store = opener.store()
    async with store as same:
        assert same is store
        await store.save(session_of("s"))
    assert await store.exists("s")
    await store.close()
    await store.close()
    assert await store.exists("s")


async def test_a_store_says_what_and_where_it_is(async_store: AsyncSessionStore[Any], opener: Opener):
    location = opener.location
    assert async_store.backend_name == (location.cloud if location.raw else location.kind)
    assert async_store.location == opener.store().location
    assert async_store.location != opener.store("elsewhere").location
    if location.kind == "file":
        assert async_store.location == location.root.resolve().as_uri()


@pytest.mark.parametrize("prefix", ["a//b", "a/./b", "../a", "a/..", "a\\b", "a\nb", "x" * 513, "\ud800"])
def test_a_bad_prefix_is_refused(opener: Opener, prefix: str):
    with pytest.raises(InvalidArgumentError):
        opener.store(prefix)
