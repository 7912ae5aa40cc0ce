"""Summaries: what a listing shows of sessions, from their metadata, the catalog, or their bodies."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from both_sides import SyncSide
from sessionbucket import (
    Conversation,
    InvalidArgumentError,
    MemoryBucket,
    Message,
    SessionCorruptedError,
    SessionData,
    SessionStore,
    SessionSummary,
    summarize,
)
from sessionbucket._codec import codec_of
from sessionbucket._concurrency.threads import WorkerPool
from sessionbucket._core import catalog
from sessionbucket._core.keys import StoreKeys
from sessionbucket.models import AnySession, TextBlock
from sessionbucket.testing import FaultyBucket

CATALOG = ".sessionbucket/catalog/"


def session(id: str, text: str = "hello", **fields: Any) -> SessionData:
    return SessionData(id=id, messages=[Message.user(text)], **fields)


def requests_of(bucket: FaultyBucket) -> Counter[str]:
    found = Counter(call.operation for call in bucket.calls)
    bucket.calls.clear()
    return found


class TestOneSession:
    def test_has_the_facts_of_its_body(self, side: SyncSide):
        store = side.store(side.make("MemoryBucket"))
        saved = session(
            "alice/chat-42",
            "  What is\n  this? ",
            principal="alice",
            tenant_id="acme",
            tags=["prod", "x"],
            state="Active",
            model_name="m-1",
            created_at=1,
            updated_at=2,
            total_cost=0.25,
            total_usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
            parent_id="alice/chat-41",
        )
        store.save(saved)
        expected = SessionSummary(
            id="alice/chat-42",
            title="What is this?",
            owner="alice",
            tenant="acme",
            tags=("prod", "x"),
            state="Active",
            model="m-1",
            created_at=1,
            updated_at=2,
            messages=1,
            tokens=3,
            cost=0.25,
            parent_id="alice/chat-41",
        )
        assert store.summary("alice/chat-42") == expected == summarize(saved)
        assert store.summary("missing") is None

    def test_has_the_name_of_the_session_as_its_title(self):
        assert summarize(session("s", config={"name": "My name"})).title == "My name"

    def test_has_the_first_text_of_a_user_and_no_result_of_a_tool(self):
        messages = [Message.assistant("I am"), Message.tool_result("t", "out"), Message.user("hi")]
        assert summarize(SessionData(id="s", messages=messages)).title == "hi"
        assert summarize(SessionData(id="s", messages=messages[:2])).title == ""

    def test_costs_one_head_and_its_save_one_put(self, side: SyncSide):
        bucket = side.make("FaultyBucket", side.make("MemoryBucket"))
        store = side.store(bucket)
        store.save(session("s"))
        assert requests_of(bucket) == {"put": 1}
        store.summary("s")
        assert requests_of(bucket) == {"head": 1}

    def test_is_read_from_the_body_in_a_folder(self, side: SyncSide, tmp_path: Path):
        store = side.store(side.file_bucket(tmp_path, fsync=False))
        store.save(session("s", "hi"))
        assert store.summary("s").title == "hi"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


class TestTheEntry:
    @given(
        id=st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=15
        ),
        title=TEXTS | st.just("😀" * 200) | st.just("a  \x7f  b" * 20),
        owner=TEXTS | st.none() | st.just("o" * 1000),
        tags=st.lists(TEXTS, max_size=5),
    )
    @settings(max_examples=150)
    def test_fits_into_900_visible_bytes_and_reads_back(self, id, title, owner, tags):
        bucket = MemoryBucket()
        store = SessionStore(bucket)
        saved = session(id, title, principal=owner, tags=tags)
        store.save(saved)
        info = bucket.head(StoreKeys().of_session(id).session)
        assert info is not None
        entry = info.metadata.get("summary", "")
        assert len(entry) <= 900
        assert all(" " <= character <= "~" for character in entry)
        assert "  " not in entry
        assert not entry or isinstance(json.loads(entry), list)
        summary = summarize(saved)
        assert store.summary(id) == summary == next(iter(store.summaries()))
        assert len(summary.title) <= 80

    def test_has_a_shorter_title_when_it_is_too_long(self):
        assert 60 < len(summarize(session("s", "😀" * 200)).title) < 80

    def test_is_left_out_when_no_title_fits_and_the_body_is_read(self):
        bucket = FaultyBucket(MemoryBucket())
        store = SessionStore(bucket)
        store.save(session("s", tags=["x" * 1000]))
        bucket.calls.clear()
        summary = store.summary("s")
        assert summary is not None
        assert summary.tags == ("x" * 1000,)
        assert requests_of(bucket) == {"head": 1, "get": 1}

    def test_of_another_body_does_not_count(self):
        bucket = MemoryBucket()
        store = SessionStore(bucket)
        store.save(session("s", "before"))
        info = bucket.head("s.json")
        body = codec_of(SessionData).encode(session("s", "after it"), key="s.json")
        assert info is not None
        bucket.put("s.json", body, metadata=info.metadata)
        summary = store.summary("s")
        assert summary is not None
        assert summary.title == "after it"

    @pytest.mark.parametrize("cut", [1, 20, 60])
    def test_that_is_damaged_does_not_count(self, cut: int):
        bucket = MemoryBucket()
        store = SessionStore(bucket)
        store.save(session("s", "text"))
        found = bucket.get("s.json", max_bytes=10_000)
        assert found is not None
        damaged = {"summary": found.info.metadata["summary"][:-cut]}
        bucket.put("s.json", found.body, metadata=damaged)
        assert store.summary("s") == summarize(session("s", "text", **times_of(store, "s")))


def times_of(store: SessionStore, id: str) -> dict[str, int]:
    loaded = store.load(id)
    assert loaded is not None
    return {"created_at": loaded.created_at, "updated_at": loaded.updated_at}


class Note(BaseModel):
    id: str
    topic: str


def by_topic(note: Note) -> SessionSummary:
    return SessionSummary(note.id, title=note.topic, tags=("note",))


def with_a_list(note: Note) -> SessionSummary:
    return SessionSummary(note.id, tags=["note"])  # type: ignore[arg-type]


async def without_a_wait(note: Note) -> SessionSummary:
    return SessionSummary(note.id)


class TestOwnModels:
    def test_have_the_summaries_of_their_function(self, side: SyncSide):
        bucket = side.make("MemoryBucket")
        store = side.store(bucket, model=Note, summarize=by_topic)
        store.save(Note(id="n", topic="  Whales "))
        assert store.summary("n") == SessionSummary("n", title="Whales", tags=("note",))
        assert [each.title for each in store.summaries()] == ["Whales"]

    def test_have_none_without_a_function(self, side: SyncSide):
        store = side.store(side.make("MemoryBucket"), model=Note)
        store.save(Note(id="n", topic="Whales"))
        for call in (store.summaries, store.summary_page, lambda: store.summary("n")):
            with pytest.raises(InvalidArgumentError, match="summarize="):
                call()

    @pytest.mark.parametrize(
        ("function", "problem"), [(with_a_list, "tags"), (without_a_wait, "coroutine"), (str, "str")]
    )
    def test_refuse_other_results_before_they_write(self, function: Any, problem: str):
        store = SessionStore(MemoryBucket(), model=Note, summarize=function)
        with pytest.raises(InvalidArgumentError, match=problem):
            store.save(Note(id="n", topic="Whales"))
        assert store.list() == []

    @pytest.mark.parametrize("function", [lambda note: SessionSummary(note.id), 7])
    def test_need_a_function_with_a_name(self, function: Any):
        with pytest.raises(InvalidArgumentError, match="summarize is refused"):
            SessionStore(MemoryBucket(), model=Note, summarize=function)


def test_conversations_have_summaries_of_their_own(side: SyncSide):
    bucket = side.make("FaultyBucket", side.make("MemoryBucket"))
    store = side.store(bucket, model=Conversation)
    saved = Conversation(
        id="c", title=" A\n title", messages=[{"role": "user"}], usage={"total_tokens": 7, "more": None}
    )
    store.save(saved)
    store.save(Conversation(id="d", usage={"total_tokens": "many"}))
    bucket.calls.clear()
    assert store.summary("c") == summarize(saved) == SessionSummary("c", "A title", messages=1, tokens=7)
    assert requests_of(bucket) == {"head": 1}
    assert list(store.summaries()) == [summarize(saved), SessionSummary("d")]


def test_summaries_without_text_have_no_titles_anywhere(side: SyncSide):
    bucket = side.make("MemoryBucket")
    store = side.store(bucket, summaries="no-text")
    store.save(session("s", "secret words", config={"name": "secret name"}))
    assert [each.title for each in store.summaries()] == [""]
    assert store.summary("s").title == ""
    kept = [bucket.get(info.key, max_bytes=10_000) for info in bucket.list_page(CATALOG).objects]
    assert not any("secret" in str(catalog.decode_shard(each.body, _fingerprint(store))) for each in kept)
    assert "secret" not in str(bucket.head("s.json").metadata)
    with pytest.raises(InvalidArgumentError, match="no-text"):
        side.store(bucket, summaries="none")


def _fingerprint(store: Any) -> str:
    return str(getattr(store, "_inner", store)._summarizer.fingerprint)


def test_another_summarizer_does_not_count():
    bucket = MemoryBucket()
    SessionStore(bucket, summaries="no-text").save(session("s", "text"))
    list(SessionStore(bucket, summaries="no-text").summaries())
    assert [each.title for each in SessionStore(bucket).summaries()] == ["text"]
    assert [each.title for each in SessionStore(bucket, summaries="no-text").summaries()] == [""]


def test_a_session_that_cannot_be_read_has_a_problem(side: SyncSide):
    bucket = side.make("MemoryBucket")
    store = side.store(bucket)
    store.save(session("a"))
    bucket.put("b.json", b"{")
    bucket.put("c.json", bucket.get("a.json", max_bytes=10_000).body)
    found = {each.id: each.problem for each in store.summaries()}
    assert found["a"] is None
    for id in ("b", "c"):
        with pytest.raises(SessionCorruptedError) as caught:
            store.load(id)
        assert found[id] == caught.value.reason


def test_a_copy_carries_or_makes_the_summary(side: SyncSide, tmp_path: Path):
    folder = side.store(side.file_bucket(tmp_path, fsync=False))
    folder.save(session("s", "text"))
    buckets = [side.make("FaultyBucket", side.make("MemoryBucket")) for _ in range(2)]
    source = folder
    for bucket in buckets:
        store = side.store(bucket)
        assert [each.outcome for each in side.make("copy_sessions", source, store)] == ["copied"]
        bucket.calls.clear()
        assert store.summary("s").title == "text"
        assert requests_of(bucket) == {"head": 1}
        source = store


def test_a_copy_by_stores_of_any_model_makes_the_summary_of_session_data(side: SyncSide, tmp_path: Path):
    side.store(side.file_bucket(tmp_path, fsync=False)).save(session("s", "text"))
    source = side.store(side.file_bucket(tmp_path, fsync=False), model=AnySession)
    bucket = side.make("FaultyBucket", side.make("MemoryBucket"))
    results = side.make("copy_sessions", source, side.store(bucket, model=AnySession))
    assert [each.outcome for each in results] == ["copied"]
    bucket.calls.clear()
    assert side.store(bucket).summary("s").title == "text"
    assert requests_of(bucket) == {"head": 1}


class TestPages:
    @pytest.fixture
    def store(self, side: SyncSide) -> Any:
        store = side.store(side.make("MemoryBucket"))
        for number in range(70):
            store.save(session(f"{number:02}", principal="odd" if number % 2 else "even"))
        return store

    @pytest.mark.parametrize("owner", [None, "odd", "nobody"])
    @pytest.mark.parametrize("limit", [1, 7, 35, 40, 100])
    def test_have_every_session_once(self, store: Any, owner: str | None, limit: int):
        def where(summary: SessionSummary) -> bool:
            return summary.owner == owner

        chosen = where if owner else None
        found, cursor = [], None
        while True:
            page = store.summary_page(limit=limit, cursor=cursor, where=chosen)
            assert len(page.summaries) == limit or page.next_cursor is None
            found += page.summaries
            cursor = page.next_cursor
            if cursor is None:
                break
            assert page.summaries
        assert found == list(store.summaries(where=chosen))

    def test_refuse_an_async_filter(self, store: Any):
        async def where(summary: SessionSummary) -> bool:
            return True

        with pytest.raises(InvalidArgumentError, match="async"):
            store.summary_page(where=where)


def cut_shards_after(rows: int, patch: pytest.MonkeyPatch) -> None:
    for module in ("_core.catalog", "_sync.session_summaries", "_async.session_summaries"):
        patch.setattr(f"sessionbucket.{module}.ROWS_A_SHARD", rows)
        patch.setattr(f"sessionbucket.{module}.MOST_ROWS", 2 * rows)


class TestRequests:
    def test_a_listing_asks_only_for_what_changed(self, side: SyncSide):
        bucket = side.make("FaultyBucket", side.make("MemoryBucket"))
        store = side.store(bucket)
        body = codec_of(SessionData).encode(session("x"), key="x")
        for number in range(2500):
            bucket.inner.put(f"{number:05}.json", body.replace(b'"x"', b'"%05d"' % number))
        list(store.summaries())
        for number in range(0, 2500, 100):
            store.save(session(f"{number:05}", "new"), overwrite=True)
        bucket.calls.clear()
        assert sum(each.title == "new" for each in store.summaries()) == 25
        assert requests_of(bucket) == {"list_page": 2, "get": 1, "head": 25, "put": 1}
        list(store.summaries())
        assert requests_of(bucket) == {"list_page": 2, "get": 1}

    @pytest.mark.parametrize("first", ["a/", "m/", "z/"])
    def test_a_listing_after_one_of_some_sessions_asks_for_the_others_once(
        self, side: SyncSide, first: str, monkeypatch: pytest.MonkeyPatch
    ):
        cut_shards_after(10, monkeypatch)
        bucket = side.make("FaultyBucket", side.make("MemoryBucket"))
        store = side.store(bucket)
        for user in ("a", "m", "z"):
            for number in range(37):
                store.save(session(f"{user}/{number:02}"))
        assert len(list(store.summaries(prefix=first))) == 37
        bucket.calls.clear()
        assert len(list(store.summaries())) == 111
        assert requests_of(bucket)["head"] == 74
        assert len(list(store.summaries())) == 111
        assert not {"head", "put", "delete"} & set(requests_of(bucket))

    def test_a_small_page_costs_a_head_for_each_session(self, side: SyncSide):
        bucket = side.make("FaultyBucket", side.make("MemoryBucket"))
        store = side.store(bucket)
        for number in range(40):
            store.save(session(str(number)))
        store.list_page(limit=20)  # the first page of a store also looks for snapshots of a3s-code
        bucket.calls.clear()
        store.summary_page(limit=20)
        assert requests_of(bucket) == {"list_page": 1, "head": 20}


def test_a_damaged_row_costs_one_request(side: SyncSide):
    bucket = side.make("FaultyBucket", side.make("MemoryBucket"))
    store = side.store(bucket)
    for number in range(50):
        store.save(session(str(number)))
    assert len(list(store.summaries())) == 50
    shard = bucket.inner.list_page(CATALOG).objects[0].key
    head, *rows = gzip.decompress(bucket.inner.get(shard, max_bytes=100_000).body).split(b"\n")
    rows[7] = rows[7].replace(b"null", b"'null'")
    bucket.inner.put(shard, gzip.compress(b"\n".join([head, *rows])))
    bucket.calls.clear()
    assert all(each.title == "hello" for each in store.summaries())
    assert requests_of(bucket) == {"list_page": 2, "get": 1, "head": 1, "put": 1}


IDS = ["a", "a-b", "a/b", "a_b", "b..c", "é/x", "alice/1", "alice/2", "z"]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "save",
                "save",
                "delete",
                "raw",
                "legacy",
                "list",
                "prefix",
                "drop",
                "cut",
                "damage",
                "swap",
                "race",
            ]
        ),
        st.sampled_from(IDS),
        st.integers(0, 3),
    ),
    max_size=25,
)


class History:
    """What this library and other programs do to one bucket. The actions are its methods."""

    def __init__(self, side: Any, bucket: Any) -> None:
        self.bucket = bucket
        self.store, self.other = side.store(bucket), side.store(bucket)
        self.codec = codec_of(SessionData)
        self.number = 0

    def do(self, action: str, id: str, choice: int) -> None:
        self.number += 1
        with suppress(SessionCorruptedError):  # the key of this id has another session, under its legacy name
            getattr(self, action)(id, choice)

    def session(self, id: str, choice: int) -> SessionData:
        return session(id, f"text {self.number}" + "x" * choice, tags=[str(choice)])

    def shards(self) -> list[str]:
        return [info.key for info in self.bucket.list_page(CATALOG).objects]

    def body(self, key: str) -> bytes:
        found = self.bucket.get(key, max_bytes=100_000)
        return bytes(found.body)

    def save(self, id: str, choice: int) -> None:
        self.store.save(self.session(id, choice), overwrite=True)

    def delete(self, id: str, choice: int) -> None:
        self.store.delete(id)

    def raw(self, id: str, choice: int) -> None:
        key = StoreKeys().of_session(id).session
        self.bucket.put(key, self.codec.encode(self.session(id, choice), key=key))

    def legacy(self, id: str, choice: int) -> None:
        keys = StoreKeys().legacy_keys(id)
        if keys is not None:
            self.bucket.put(keys.session, self.codec.encode(self.session(id, choice), key=keys.session))

    def list(self, id: str, choice: int) -> None:
        list(self.store.summaries())

    def prefix(self, id: str, choice: int) -> None:
        list(self.store.summaries(prefix=id[:choice]))

    def drop(self, id: str, choice: int) -> None:
        self.bucket.delete(self.shards()[choice : choice + 1])

    def cut(self, id: str, choice: int) -> None:
        for shard in self.shards()[choice : choice + 1]:
            self.bucket.put(shard, self.body(shard)[: -choice - 1])

    def damage(self, id: str, choice: int) -> None:
        for shard in self.shards()[choice : choice + 1]:
            head, *rows = gzip.decompress(self.body(shard)).split(b"\n")
            rows[-1] = rows[-1][: -choice - 1] if choice else b'["'
            self.bucket.put(shard, gzip.compress(b"\n".join([head, *rows])))

    def swap(self, id: str, choice: int) -> None:
        if shards := self.shards():
            first, last = self.body(shards[0]), self.body(shards[-1])
            self.bucket.put(shards[0], last)
            self.bucket.put(shards[-1], first)

    def race(self, id: str, choice: int) -> None:
        listing = iter(self.other.summaries())
        next(listing, None)
        self.save(id, choice)
        list(self.store.summaries())
        list(listing)

    def expected(self) -> Any:
        """The summaries of the loaded sessions, in the order of the listing."""
        keys = StoreKeys()
        found = []
        for info in self.bucket.list_page("", delimiter="/").objects:
            inside = self.codec.decode(self.body(info.key), key=info.key)
            key = keys.of_session(inside.id).session
            if key == info.key or not self.bucket.exists(key):
                assert self.store.load(inside.id) == inside
                found.append(summarize(inside))
        return found


@pytest.mark.parametrize(
    ("side", "kind"),
    [
        ("sync", "memory"),
        ("async", "folder"),
        pytest.param("sync", "folder", marks=pytest.mark.slow),
        pytest.param("async", "memory", marks=pytest.mark.slow),
    ],
    indirect=["side"],
)
@given(actions=ACTIONS)
@settings(max_examples=60)
def test_summaries_are_those_of_the_loaded_sessions_after_any_history(
    side: SyncSide, kind: str, actions: list[tuple[str, str, int]], tmp_path_factory: Any
):
    root = tmp_path_factory.mktemp("history")
    bucket = side.make("MemoryBucket") if kind == "memory" else side.file_bucket(root, fsync=False)
    history = History(side, bucket)
    with pytest.MonkeyPatch.context() as patch:
        cut_shards_after(2, patch)
        patch.setattr(catalog, "_SETTLED", timedelta(0))
        for action in actions:
            history.do(*action)
        expected = history.expected()
        assert list(history.store.summaries()) == expected
        assert list(history.store.summaries()) == expected
        assert history.store.summary_page(limit=1000).summaries == expected


def test_a_file_that_was_changed_just_now_is_read_again(side: SyncSide, tmp_path: Path):
    store = side.store(side.file_bucket(tmp_path, fsync=False))
    store.save(session("s", "text 1"))
    list(store.summaries())
    before = (tmp_path / "s.json").stat()
    store.save(session("s", "text 2"), overwrite=True)
    os.utime(tmp_path / "s.json", ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert [each.title for each in store.summaries()] == ["text 2"]


def test_a_row_of_the_catalog_takes_no_thread(monkeypatch: pytest.MonkeyPatch):
    store = SessionStore(MemoryBucket())
    ids = [f"alice/{number:02}" for number in range(50)]
    for id in ids:
        store.save(session(id))
    assert [summary.id for summary in store.summaries()] == ids
    started: list[object] = []
    start = WorkerPool.start

    def counted(pool: WorkerPool, call: Any) -> Any:
        started.append(call)
        return start(pool, call)

    monkeypatch.setattr(WorkerPool, "start", counted)
    assert [summary.id for summary in store.summaries()] == ids
    assert len(started) < 10  # the pages and the shards


def test_text_of_blocks_is_found_in_any_block():
    message = Message(role="user", content=[TextBlock(text=" "), TextBlock(text="second")])
    assert summarize(SessionData(id="s", messages=[message])).title == "second"
