"""Append logs: lists that grow at their end, one document each, with older entries in sealed segments."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from both_sides import at_once
from conformance.conftest import Opener
from conformance.locations import FILE, MEMORY, in_memory, unique_name, without_server
from conformance.wrapped_buckets import AsyncCountingBucket, CountingBucket
from sessionbucket import (
    AppendLog,
    AsyncBucketWrapper,
    BucketWrapper,
    ConflictError,
    DocumentStore,
    InvalidArgumentError,
    LogDraft,
    LogHead,
    SessionCorruptedError,
    StoreUnavailableError,
)
from sessionbucket._core import append_logs
from sessionbucket.testing import FaultyBucket

NAME = "notes"
MEGABYTE = 1_000_000
ENTRY_BYTES = 10_000


def open_log(opener: Opener, bucket: Any = None, **options: Any) -> AppendLog:
    """The logs of the location, in one bucket object or in a new one."""
    bucket = opener.bucket() if bucket is None else bucket
    documents = opener.side.make("DocumentStore", bucket, NAME, prefix=opener.location.key(""))
    return opener.side.make("AppendLog", documents, **options)


@pytest.fixture
def log(opener: Opener) -> AppendLog:
    return open_log(opener)


@pytest.fixture
def counting(opener: Opener) -> Any:
    return opener.side.wrapper(opener.bucket(), CountingBucket, AsyncCountingBucket)


@pytest.fixture
def counted(opener: Opener, counting: Any) -> AppendLog:
    """Logs whose requests are counted, after the probe of the server."""
    log = open_log(opener, counting)
    log.append("probed", [1])
    counting.counts.clear()
    return log


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are sealed above 200 bytes, so that tests of many segments are quick."""
    for module in ("_core", "_async", "_sync"):
        name = "append_logs" if module == "_core" else "append_log"
        monkeypatch.setattr(f"sessionbucket.{module}.{name}.SEAL_BYTES", 200)
    monkeypatch.setattr(append_logs, "SEGMENT_BYTES", 100)


def entries_of(log: AppendLog, name: str = "log") -> list[Any] | None:
    found = log.read(name)
    return found.entries if found else None


def large(number: int) -> dict[str, Any]:
    """An entry of about 10 kB."""
    return {"number": number, "text": "x" * (ENTRY_BYTES - 30)}


def fill(log: AppendLog, entries: int, name: str = "log") -> LogHead:
    return log.append(name, [large(number) for number in range(entries)])


def sealed(opener: Opener) -> list[str]:
    return [name for name in opener.names() if "/sealed/" in name]


def lines_of(opener: Opener, name: str) -> list[Any]:
    return [json.loads(line) for line in opener.read(name).splitlines()]


def test_entries_come_back_in_the_order_of_the_appends(log: AppendLog):
    first = log.append("log", [{"a": 1}, "é\u2028\n"])
    second = log.append("log", [None, [1.5, True], {}])
    assert (first.length, second.length) == (2, 5)
    found = log.read("log")
    assert found is not None
    assert found.entries == [{"a": 1}, "é\u2028\n", None, [1.5, True], {}]
    assert (found.head.name, found.head.length, found.head.version) == ("log", 5, second.version)
    assert found.metadata == {}


def test_a_missing_log_is_none(log: AppendLog):
    log.append("folder/log", [1])
    for name in ("log", "folder", "folder/log/x"):
        assert log.read(name) is None


def test_an_append_of_nothing_creates_an_empty_log_and_writes_nothing_to_another(log: AppendLog):
    empty = log.append("log", [])
    assert empty.length == 0
    assert entries_of(log) == []
    full = log.append("log", [1])
    assert log.append("log", []).version == full.version


@pytest.mark.parametrize("last", [0, 1, 3, 40, 41, 1000])
def test_the_last_entries_come_alone(log: AppendLog, last: int):
    fill(log, 40)
    found = log.read("log", last=last)
    assert found is not None
    assert found.entries == [large(number) for number in range(40)][max(0, 40 - last) :]
    assert found.head.length == 40


@in_memory
def test_a_negative_number_of_entries_is_refused(log: AppendLog):
    with pytest.raises(InvalidArgumentError, match="last -1 is refused"):
        log.read("log", last=-1)


def test_the_document_is_a_head_line_and_a_line_for_each_entry(log: AppendLog, opener: Opener):
    log.append("a/log", [{"n": 1}, "two"], fold=lambda metadata, entries: {"count": len(entries)})
    assert opener.names() == [f"{NAME}/a/log.log"]
    assert opener.read(f"{NAME}/a/log.log") == (
        b'{"format":1,"metadata":{"count":2},"sealed":[]}\n{"n":1}\n"two"\n'
    )


def test_the_older_half_is_sealed_above_256_kib(log: AppendLog, opener: Opener):
    fill(log, 26)
    assert sealed(opener) == []
    log.append("log", [large(26)])
    [name] = sealed(opener)
    assert name.startswith(f"{NAME}/sealed/log/")
    head, *tail = lines_of(opener, f"{NAME}/log.log")
    assert head == {"format": 1, "metadata": {}, "sealed": [[name.rpartition("/")[2], 13]]}
    assert tail == [large(number) for number in range(13, 27)]
    assert lines_of(opener, name) == [{"format": 1, "entries": 13}, *map(large, range(13))]
    assert entries_of(log) == [large(number) for number in range(27)]


def test_an_entry_larger_than_a_segment_is_kept(log: AppendLog, opener: Opener):
    entries = ["a" * 300_000, "b", "c" * 600_000]
    log.append("log", entries)
    assert len(sealed(opener)) == 3
    assert entries_of(log) == entries


def test_metadata_change_with_the_entries_of_an_append(log: AppendLog):
    def count(metadata: dict[str, Any], entries: list[Any]) -> dict[str, Any]:
        metadata["count"] = metadata.get("count", 0) + len(entries)
        return metadata

    assert log.append("log", [1, 2], fold=count).metadata == {"count": 2}
    assert log.append("log", [3], fold=count).metadata == {"count": 3}
    assert log.append("log", [4]).metadata == {"count": 3}
    assert log.read_metadata(["missing", "log"]) == [None, {"count": 3}]


def test_a_fold_that_raises_writes_nothing(log: AppendLog, opener: Opener):
    log.append("log", [1])

    def refuse(metadata: dict[str, Any], entries: list[Any]) -> dict[str, Any]:
        raise LookupError("the reason")

    with pytest.raises(LookupError, match="the reason"):
        log.append("log", [large(number) for number in range(30)], fold=refuse)
    assert entries_of(log) == [1]
    assert sealed(opener) == []


def test_long_metadata_are_read_whole(log: AppendLog):
    metadata = {"text": "x" * 50_000}
    log.append("long", [1], fold=lambda *_: metadata)
    log.append("short", [1], fold=lambda *_: {"a": 1})
    assert log.read_metadata(["long", "short", "missing"]) == [metadata, {"a": 1}, None]


def test_edit_changes_metadata_and_the_last_entries_in_one_write(log: AppendLog):
    log.append("log", [1, 2, 3])

    def change(draft: LogDraft) -> None:
        assert (draft.exists, draft.start, draft.entries) == (True, 0, [1, 2, 3])
        draft.entries[1:] = ["two", "three", "four"]
        draft.metadata["edited"] = True

    head = log.edit("log", change)
    assert head is not None
    assert (head.length, head.metadata) == (4, {"edited": True})
    assert entries_of(log) == [1, "two", "three", "four"]


def test_an_edit_that_changes_nothing_writes_nothing(log: AppendLog):
    head = log.append("log", [1], fold=lambda *_: {"a": 1})
    seen: list[bool] = []
    same = log.edit("log", lambda draft: seen.append(draft.exists))
    assert same is not None
    assert same.version == head.version
    assert log.edit("missing", lambda draft: seen.append(draft.exists)) is None
    assert seen == [True, False]
    assert log.read("missing") is None


def test_edit_creates_a_log(log: AppendLog):
    def create(draft: LogDraft) -> None:
        assert not draft.exists
        draft.metadata["a"] = 1

    log.edit("log", create, seen=None)
    found = log.read("log")
    assert found is not None
    assert (found.metadata, found.entries) == ({"a": 1}, [])


def test_edit_gets_as_many_entries_as_it_asks_for(log: AppendLog):
    fill(log, 60)
    starts: list[int] = []
    for last in (0, 20, 22, 50, None):
        log.edit("log", lambda draft: starts.append(draft.start), last=last)
    assert starts == [39, 39, 26, 0, 0]


def test_metadata_that_are_no_dictionary_are_refused(log: AppendLog):
    log.append("log", [1])
    with pytest.raises(InvalidArgumentError, match="must be a dictionary; nothing was written"):
        log.append("log", [2], fold=lambda *_: [1])  # type: ignore[arg-type, return-value]
    assert entries_of(log) == [1]


@in_memory
@pytest.mark.parametrize(
    "entry", [object(), float("nan"), {1, 2}, b"bytes"], ids=["object", "nan", "set", "bytes"]
)
def test_an_entry_that_json_cannot_hold_is_refused(log: AppendLog, entry: Any):
    with pytest.raises(InvalidArgumentError, match="entry 1 of these cannot be written as JSON"):
        log.append("log", ["fine", entry])
    assert log.read("log") is None


@in_memory
def test_a_lone_surrogate_comes_back(log: AppendLog):
    log.append("log", ["\ud83d", "é"])
    assert entries_of(log) == ["\ud83d", "é"]


def test_pop_takes_the_last_entry(log: AppendLog):
    log.append("log", [1, 2])
    assert [log.pop("log") for _ in range(3)] == [2, 1, None]
    assert entries_of(log) == []
    assert log.pop("missing") is None


def test_pop_goes_on_into_the_sealed_segments(log: AppendLog, opener: Opener):
    fill(log, 30)
    assert sealed(opener)
    assert [log.pop("log") for _ in range(30)] == [large(number) for number in reversed(range(30))]
    assert sealed(opener) == []


@pytest.mark.parametrize("index", [0, 12, 13, 29, -1, -30])
def test_replace_replaces_one_entry_and_keeps_nothing_of_the_old(log: AppendLog, opener: Opener, index: int):
    expected: list[Any] = [large(number) for number in range(30)]
    expected[index] = canary = {"secret": "canary" * 3}
    log.append("log", expected)
    expected[index] = {"redacted": True}
    assert log.replace("log", index, {"redacted": True}).length == 30
    assert entries_of(log) == expected
    assert not [name for name in opener.names() if canary["secret"].encode() in opener.read(name)]
    assert len(sealed(opener)) == 1


@pytest.mark.parametrize("index", [3, -4])
def test_replace_refuses_a_position_without_an_entry(log: AppendLog, index: int):
    log.append("log", [1, 2, 3])
    with pytest.raises(InvalidArgumentError, match="has 3 entries; nothing was written"):
        log.replace("log", index, 0)
    with pytest.raises(InvalidArgumentError, match="has 0 entries"):
        log.replace("missing", 0, 0)


def test_an_edit_of_a_sealed_entry_keeps_nothing_of_the_old(log: AppendLog, opener: Opener):
    fill(log, 60)
    before = sealed(opener)

    def change(draft: LogDraft) -> None:
        draft.entries[20:22] = ["new"]

    log.edit("log", change, last=None)
    expected: list[Any] = [large(number) for number in range(60)]
    expected[20:22] = ["new"]
    assert entries_of(log) == expected
    after = sealed(opener)
    assert len(after) == len(before)
    assert len(set(before) & set(after)) == len(before) - 1


def test_delete_leaves_nothing_of_the_log_and_keeps_the_others(log: AppendLog, opener: Opener):
    for name in ("log", "log2", "a/log", "sealed/log/log", "sealed/log"):
        fill(log, 30, name)
    opener.write(f"{NAME}/sealed/log/{'0' * 32}", b"of an interrupted change")
    log.delete("log")
    log.delete("missing")
    assert [name for name in opener.names() if name.startswith(f"{NAME}/log.log")] == []
    assert [name for name in sealed(opener) if name.count("/") == 3 and "/sealed/log/" in name] == [
        f"{NAME}/sealed/log/log.log"
    ]
    assert log.read("log") is None
    for name in ("log2", "a/log", "sealed/log/log", "sealed/log"):
        assert entries_of(log, name) == [large(number) for number in range(30)]


def test_a_log_whose_segments_were_deleted_before_is_deleted(log: AppendLog, opener: Opener):
    fill(log, 30)
    log.edit("log", lambda draft: draft.entries.clear(), last=None)
    assert sealed(opener) == []
    log.delete("log")
    assert log.read("log") is None


def test_a_listing_has_the_logs_of_one_folder(log: AppendLog):
    for name in ("b", "a/1", "a/2", "a/b/3", "a"):
        log.append(name, [name])
    fill(log, 30, "a/2")
    log.documents.put("a/other.json", b"no log")

    def names(*arguments: Any, **options: Any) -> list[str]:
        return [info.name for info in log.list(*arguments, **options)]

    assert names() == ["a", "b"]
    assert names("a/") == ["a/1", "a/2"]
    assert names("a/", start_after="a/1") == ["a/2"]
    assert names("a/", limit=1) == ["a/1"]
    assert names("none/") == []
    [info] = log.list("b")
    assert info.size > 0
    assert list(log.documents.list_folders("a/")) == ["b", "sealed"]


@in_memory
@pytest.mark.parametrize("name", ["", "a/", "/a", "a//b", "..", "a/../b", "a\0b", "x" * 1000, 5])
def test_a_bad_name_is_refused(log: AppendLog, name: Any):
    with pytest.raises(InvalidArgumentError):
        log.append(name, [1])
    assert list(log.documents.list()) == []


def test_requests_are_as_few_as_documented(counted: AppendLog, counting: Any, opener: Opener):
    def requests() -> dict[str, int]:
        found = dict(counting.counts)
        counting.counts.clear()
        return found

    head: LogHead | None = counted.append("log", [1], seen=None)
    assert requests() == {"put": 1}
    head = counted.append("log", [2], seen=head)
    assert requests() == {"put": 1}
    counted.append("log", [3])
    assert requests() == {"get": 1, "put": 1}
    head = counted.append("log", [4], seen=head)  # outdated
    assert requests() == {"get": 1, "put": 2}
    assert entries_of(counted) == [1, 2, 3, 4]
    assert requests() == {"get": 1}
    counted.pop("log", seen=head)
    assert requests() == {"put": 1}
    counted.edit("log", lambda draft: draft.metadata.update(a=1))
    assert requests() == {"get": 1, "put": 1}
    counted.read_metadata(["log"])
    assert requests() == {"get": 1}
    fill(counted, 30)
    assert requests() == {"get": 1, "put": 2}
    counted.read("log", last=5)
    assert requests() == {"get": 1}
    counted.read("log")
    assert requests() == {"get": 2}
    list(counted.list())
    assert requests() == {"list_page": 1}
    counted.delete("log")
    assert requests() == {"list_page": 1, "delete": 1}


class _Uploads:
    uploaded = 0


class UploadsBucket(BucketWrapper, _Uploads):
    def put(self, key: str, body: bytes, **options: Any) -> str:
        self.uploaded += len(body)
        return super().put(key, body, **options)


class AsyncUploadsBucket(AsyncBucketWrapper, _Uploads):
    async def put(self, key: str, body: bytes, **options: Any) -> str:
        self.uploaded += len(body)
        return await super().put(key, body, **options)


class TogetherBucket(BucketWrapper):
    """Lets no get of a segment end before all of them have begun."""

    segments: threading.Barrier

    def get(self, key: str, **options: Any) -> Any:
        if "/sealed/" in key:
            self.segments.wait(20)
        return super().get(key, **options)


class AsyncTogetherBucket(AsyncBucketWrapper):
    """Lets no get of a segment end before all of them have begun."""

    segments: asyncio.Barrier

    async def get(self, key: str, **options: Any) -> Any:
        if "/sealed/" in key:
            await asyncio.wait_for(self.segments.wait(), 20)
        return await super().get(key, **options)


@in_memory
def test_5_mb_in_500_appends_upload_110_mb_at_most_and_load_in_two_round_trips(opener: Opener):
    uploads = opener.side.wrapper(opener.bucket(), UploadsBucket, AsyncUploadsBucket)
    log = open_log(opener, uploads)
    head: LogHead | None = None
    for number in range(500):
        head = log.append("log", [large(number)], seen=head)
    assert uploads.uploaded <= 110 * MEGABYTE
    segments = len(sealed(opener))
    together = opener.side.wrapper(uploads, TogetherBucket, AsyncTogetherBucket)
    barrier = asyncio.Barrier if opener.side.name == "async" else threading.Barrier
    together.segments = barrier(segments)
    assert entries_of(open_log(opener, together)) == [large(number) for number in range(500)]
    assert segments > 30


@pytest.mark.parametrize("remembers", [True, False], ids=["remembered", "read"])
def test_writers_at_once_lose_and_double_nothing_and_keep_their_order(
    opener: Opener, small_segments: None, remembers: bool
):
    def write(log: AppendLog, writer: int) -> None:
        head: LogHead | None = None
        for number in range(12):
            options: dict[str, Any] = {"seen": head} if remembers else {}
            head = log.append("log", [[writer, number, "x" * 20]], attempts=1000, **options)

    logs = [open_log(opener) for _ in range(3)]
    assert at_once([partial(write, log, writer) for writer, log in enumerate(logs)]) == [None] * 3
    entries = entries_of(logs[0])
    assert entries is not None
    assert len(entries) == 36
    for writer in range(3):
        assert [number for each, number, _ in entries if each == writer] == list(range(12))
    named = {row[0] for row in lines_of(opener, f"{NAME}/log.log")[0]["sealed"]}
    assert {name.rpartition("/")[2] for name in sealed(opener)} == named


@pytest.fixture
def faulty(opener: Opener) -> FaultyBucket:
    if opener.location.kind == FILE:
        pytest.skip("a folder keeps no metadata, so no write id resolves a lost response")
    return opener.side.make("FaultyBucket", opener.bucket())


def test_an_append_whose_response_is_lost_is_done_once(opener: Opener, faulty: FaultyBucket):
    log = open_log(opener, faulty)
    head = log.append("log", [1])
    faulty.drop_response("put")
    head = log.append("log", [2], seen=head)
    faulty.drop_request("put")
    log.append("log", [3], seen=head)
    assert faulty.pending == []
    assert entries_of(log) == [1, 2, 3]


@pytest.mark.parametrize("nth", [1, 2], ids=["the segment", "the document"])
@pytest.mark.parametrize("fault", ["drop_response", "drop_request"])
def test_a_lost_request_or_response_of_sealing_loses_nothing(
    opener: Opener, faulty: FaultyBucket, fault: str, nth: int
):
    log = open_log(opener, faulty)
    fill(log, 26)
    getattr(faulty, fault)("put", nth=nth)
    log.append("log", [large(26)])
    assert faulty.pending == []
    assert entries_of(log) == [large(number) for number in range(27)]
    assert len(sealed(opener)) == 1


def test_when_a_segment_cannot_be_written_the_log_is_unchanged_for_certain(
    opener: Opener, faulty: FaultyBucket
):
    log = open_log(opener, faulty)
    fill(log, 26)
    faulty.drop_request("put", key="*/sealed/*", times=None)
    faulty.drop_request("head", key="*/sealed/*", times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        log.append("log", [large(26)])
    assert caught.value.outcome == "not written"
    faulty.clear_faults()
    assert entries_of(log) == [large(number) for number in range(26)]
    assert sealed(opener) == []


def test_the_segment_of_a_change_that_was_not_made_is_deleted(opener: Opener, faulty: FaultyBucket):
    log, other = open_log(opener, faulty), open_log(opener, faulty.inner)
    fill(log, 26)
    faulty.run_before(lambda: other.append("log", [1]), "put", key="*/log.log", times=None)
    with pytest.raises(ConflictError) as caught:
        log.append("log", [large(26)], attempts=1)
    assert caught.value.outcome == "not written"
    assert sealed(opener) == []


def test_writers_that_seal_at_once_leave_one_segment_each_entry(opener: Opener, faulty: FaultyBucket):
    log, other = open_log(opener, faulty), open_log(opener, faulty.inner)
    fill(log, 26)
    faulty.run_before(lambda: other.append("log", ["other", "x" * 10_000]), "put", key="*/log.log")
    log.append("log", ["mine"])
    entries = entries_of(log)
    assert entries is not None
    assert [entry for entry in entries if entry in ("mine", "other")] == ["other", "mine"]
    assert len(entries) == 29
    named = {row[0] for row in lines_of(opener, f"{NAME}/log.log")[0]["sealed"]}
    assert {name.rpartition("/")[2] for name in sealed(opener)} == named


def test_a_read_while_another_writer_replaces_a_segment_is_of_one_version(
    opener: Opener, faulty: FaultyBucket
):
    log, other = open_log(opener, faulty), open_log(opener, faulty.inner)
    fill(log, 30)
    faulty.run_before(lambda: other.replace("log", 0, "redacted"), "get", key="*/sealed/*")
    assert entries_of(log) == ["redacted", *map(large, range(1, 30))]


def test_a_range_read_while_another_writer_replaces_a_segment_is_of_one_version(
    opener: Opener, faulty: FaultyBucket
):
    log, other = open_log(opener, faulty), open_log(opener, faulty.inner)
    fill(log, 30)
    faulty.run_before(lambda: other.replace("log", 0, "redacted"), "get", key="*/sealed/*")
    found = log.read_range("log", 0, 2)
    assert found is not None
    assert found.entries == ["redacted", large(1)]


def test_an_entry_with_a_known_member_is_appended_once(opener: Opener, small_segments: None):
    log = open_log(opener, unique="uuid")
    entries = [{"uuid": f"id-{number}", "text": "x" * 20} for number in range(3)]
    log.append("log", entries)
    again = log.append("log", [*entries[1:], {"uuid": "new"}, {"uuid": "new"}, {"no": 1}, {"no": 1}])
    assert again.length == 6
    assert entries_of(log) == [*entries, {"uuid": "new"}, {"no": 1}, {"no": 1}]


def test_an_append_that_is_repeated_after_sealing_adds_nothing(opener: Opener, small_segments: None):
    log = open_log(opener, unique="uuid")
    batch = [{"uuid": number, "text": "x" * 20} for number in range(7)]
    head = log.append("log", batch)
    assert sealed(opener)
    assert log.append("log", batch[-4:]).version == head.version
    assert entries_of(log) == batch


def test_without_unique_equal_entries_are_entries(log: AppendLog):
    log.append("log", [{"uuid": 1}])
    assert log.append("log", [{"uuid": 1}]).length == 2


@without_server
@pytest.mark.parametrize(
    ("line", "damage", "reason"),
    [
        (1, b"{", "line 1 is not the head line"),
        (1, b'{"metadata":{},"sealed":[]}', "line 1 is not the head line"),
        (1, b'{"format":2,"metadata":{},"sealed":[]}', "its format is '2', and this release reads format 1"),
        (1, b'{"format":1,"metadata":[],"sealed":[]}', "its head line lacks a member"),
        (1, b'{"format":1,"metadata":{},"sealed":[["../x",1]]}', "names a segment that cannot be one"),
        (1, b'{"format":1,"metadata":{},"sealed":[["0",1]]}', "it does not exist, and its log names it"),
        (3, b'{"a":', "line 3 is not JSON"),
        (3, b"\xff", "line 3 is not JSON"),
    ],
)
def test_a_damaged_line_is_a_clear_error(
    log: AppendLog, opener: Opener, line: int, damage: bytes, reason: str
):
    log.append("log", ["one", "two"])
    lines = opener.read(f"{NAME}/log.log").splitlines()
    lines[line - 1] = damage
    opener.write(f"{NAME}/log.log", b"\n".join([*lines, b""]))
    with pytest.raises(SessionCorruptedError, match=reason) as caught:
        log.read("log")
    assert caught.value.key.startswith(f"{NAME}/")
    if line == 1 and "does not exist" not in reason:
        for change in (partial(log.append, "log", [1]), partial(log.pop, "log")):
            with pytest.raises(SessionCorruptedError, match=reason):
                change()
    assert opener.read(f"{NAME}/log.log") == b"\n".join([*lines, b""])


@without_server
def test_a_document_that_was_cut_is_a_clear_error(log: AppendLog, opener: Opener):
    log.append("log", ["one", "two"])
    body = opener.read(f"{NAME}/log.log")
    opener.write(f"{NAME}/log.log", body[:-2])
    for use in (partial(log.read, "log"), partial(log.append, "log", [1])):
        with pytest.raises(SessionCorruptedError, match="its last line is incomplete"):
            use()


@without_server
def test_a_segment_that_lacks_entries_is_a_clear_error(log: AppendLog, opener: Opener):
    fill(log, 30)
    [name] = sealed(opener)
    opener.write(name, b"\n".join([*opener.read(name).splitlines()[:-1], b""]))
    with pytest.raises(SessionCorruptedError, match="it has 12 entries, and its log names 13"):
        log.read("log")
    assert log.append("log", ["still possible"]).length == 31


@without_server
@pytest.mark.parametrize("place", [(0, 0), (0, 3), (10, 16), (12, 27), (13, 13), (20, 99), (30, 99)])
def test_a_range_has_the_entries_between_two_positions(log: AppendLog, place: tuple[int, int]):
    fill(log, 30)
    found = log.read_range("log", *place)
    assert found is not None
    assert found.entries == [large(number) for number in range(30)][slice(*place)]
    assert found.head.length == 30
    assert log.read_range("missing", *place) is None


@in_memory
def test_a_range_is_read_from_the_segments_that_have_it(counted: AppendLog, counting: Any):
    fill(counted, 60)
    for (start, stop), requests in (((0, 0), 1), ((0, 5), 2), ((10, 16), 3), ((55, 60), 1)):
        counting.counts.clear()
        counted.read_range("log", start, stop)
        assert counting.counts == {"get": requests}


@in_memory
def test_a_range_has_an_error_in_the_place_of_each_entry_that_cannot_be_read(log: AppendLog, opener: Opener):
    fill(log, 60)
    segments = [f"{NAME}/sealed/log/{id}" for id, _ in lines_of(opener, f"{NAME}/log.log")[0]["sealed"]]
    opener.bucket().delete(segments[:1])
    opener.write(segments[1], opener.read(segments[1]).replace(b'{"number":14,', b'{"number":14', 1))
    found = log.read_range("log", 11, 17)
    assert found is not None
    assert [str(each).partition(": ")[2] for each in found.entries[:2]] == [
        "it does not exist, and its log names it; the object was left unchanged"
    ] * 2
    assert found.entries[2] == large(13)
    assert str(found.entries[3]).partition(": ")[2] == "line 3 is not JSON; the object was left unchanged"
    assert found.entries[4:] == [large(15), large(16)]


@in_memory
def test_a_bad_range_is_refused(log: AppendLog):
    for place in ((-1, 2), (0, -1), ("0", 2)):
        with pytest.raises(InvalidArgumentError):
            log.read_range("log", *place)


@in_memory
def test_a_head_of_another_log_is_refused(log: AppendLog):
    head = log.append("a", [1])
    with pytest.raises(InvalidArgumentError, match="the head of log 'a', not of 'b'"):
        log.append("b", [1], seen=head)


class Sequence(RuleBasedStateMachine):
    """Two writers of one log, and a plain list. Each writer remembers a head, which may be outdated."""

    open_logs: Callable[[], list[AppendLog]]

    @initialize()
    def begin(self) -> None:
        self.logs = type(self).open_logs()
        self.model: list[Any] = []
        self.metadata: dict[str, Any] = {}
        self.exists = False
        self.heads: dict[int, LogHead | None] = {0: None, 1: None}

    def seen(self, writer: int, is_remembered: bool) -> dict[str, Any]:
        return {"seen": self.heads[writer]} if is_remembered else {}

    @rule(writer=st.sampled_from((0, 1)), remembered=st.booleans(), entries=st.lists(st.text(max_size=90)))
    def append(self, writer: int, remembered: bool, entries: list[str]) -> None:
        head = self.logs[writer].append("log", entries, **self.seen(writer, remembered))
        self.model += entries
        self.exists = True
        self.heads[writer] = head
        assert (head.length, head.metadata) == (len(self.model), self.metadata)

    @rule(writer=st.sampled_from((0, 1)), remembered=st.booleans(), value=st.integers(0, 3))
    def fold(self, writer: int, remembered: bool, value: int) -> None:
        self.heads[writer] = self.logs[writer].append(
            "log",
            [value],
            fold=lambda metadata, entries: {**metadata, "sum": metadata.get("sum", 0) + sum(entries)},
            **self.seen(writer, remembered),
        )
        self.model.append(value)
        self.metadata = {**self.metadata, "sum": self.metadata.get("sum", 0) + value}
        self.exists = True

    @rule(
        writer=st.sampled_from((0, 1)),
        remembered=st.booleans(),
        last=st.none() | st.integers(0, 30),
        start=st.integers(0, 30),
        length=st.integers(0, 10),
        new=st.lists(st.text(max_size=90), max_size=5),
    )
    def edit(
        self, writer: int, remembered: bool, last: int | None, start: int, length: int, new: list[str]
    ) -> None:
        places: list[int] = []

        def change(draft: LogDraft) -> None:
            assert draft.entries == self.model[draft.start :]
            assert (draft.metadata, draft.exists) == (self.metadata, self.exists)
            assert len(draft.entries) >= (len(self.model) if last is None else min(last, len(self.model)))
            draft.entries[start : start + length] = new
            places.append(draft.start)

        head = self.logs[writer].edit("log", change, last=last, **self.seen(writer, remembered))
        at = min(places[-1] + start, len(self.model))
        self.model[at : at + length] = new
        self.exists |= bool(new)
        assert (head.length if head else 0) == len(self.model)
        self.heads[writer] = head

    @rule(writer=st.sampled_from((0, 1)), index=st.integers(-20, 20), entry=st.text(max_size=90))
    def replace(self, writer: int, index: int, entry: str) -> None:
        try:
            self.model[index] = entry
        except IndexError:
            with pytest.raises(InvalidArgumentError):
                self.logs[writer].replace("log", index, entry)
            return
        self.heads[writer] = self.logs[writer].replace("log", index, entry)

    @rule(writer=st.sampled_from((0, 1)), remembered=st.booleans())
    def pop(self, writer: int, remembered: bool) -> None:
        expected = self.model.pop() if self.model else None
        assert self.logs[writer].pop("log", **self.seen(writer, remembered)) == expected

    @rule(writer=st.sampled_from((0, 1)))
    def delete(self, writer: int) -> None:
        self.logs[writer].delete("log")
        self.model, self.metadata, self.exists = [], {}, False
        assert list(self.logs[writer].documents.list()) == []

    @rule(last=st.integers(0, 30))
    def read_last(self, last: int) -> None:
        found = self.logs[0].read("log", last=last)
        assert (found.entries if found else []) == self.model[max(0, len(self.model) - last) :]

    @invariant()
    def a_read_is_the_list_and_no_other_segment_exists(self) -> None:
        found = self.logs[1].read("log")
        assert (found is not None) == self.exists
        assert (found.entries if found else []) == self.model
        assert (found.metadata if found else {}) == self.metadata
        named = {row.id for row in state_of(self.logs[0]).sealed} if found else set()
        rows = self.logs[0].documents.list("sealed/log/")
        assert {info.key.rpartition("/")[2] for info in rows} == named


def state_of(log: AppendLog) -> append_logs.LogState:
    document = log.documents.get("log.log")
    assert document is not None
    return append_logs.decode_log(document, "log.log")


def test_any_sequence_has_the_results_of_a_list(opener: Opener, small_segments: None):
    def open_logs() -> list[AppendLog]:
        prefix = opener.location.key(unique_name())
        stores: Iterator[DocumentStore] = (
            opener.side.make("DocumentStore", bucket, NAME, prefix=prefix) for bucket in buckets
        )
        return [opener.side.make("AppendLog", documents) for documents in stores]

    buckets = [opener.bucket(), opener.bucket()]
    machine = type("SequenceHere", (Sequence,), {"open_logs": staticmethod(open_logs)})
    examples = 20 if opener.location.kind == MEMORY else 2
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=30))
