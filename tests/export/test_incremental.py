"""An export equals a full one after any history, and after any interruption, and costs little when nothing has changed."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")

from a3s_code.snapshots import snapshot_of, v1_name
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from conformance.locations import Location, environment
from conformance.samples import event_of, say, session_of
from export.lake import Lake, memory_bucket
from sessionbucket import (
    InvalidArgumentError,
    NotSupportedError,
    SessionCorruptedError,
    SessionData,
    SessionNotFoundError,
    SessionStore,
    StorageError,
    StoreUnavailableError,
    open_store,
)
from sessionbucket.export import TABLES, plan_export, ranges
from sessionbucket.testing import FaultyBucket

ids = st.sampled_from(["a", "a/b", "a_b", "alpha-1", "alpha-2", "beta", "é"])
CANARY = "c4nary-5e2f"


class Histories(RuleBasedStateMachine):
    """A store that is changed in any way, and an export of it that is brought up to date now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.lake = Lake()
        self.store = self.lake.store
        self.turn = 0

    def fresh(self) -> str:
        self.turn += 1
        return f"said {self.turn}"

    @rule(id=ids)
    def save(self, id: str) -> None:
        try:
            session = self.store.load(id) or session_of(id, "first")
        except SessionCorruptedError:
            session = session_of(id, "mended")
        say(session, self.fresh())
        self.store.save(session, overwrite=True)

    @rule(id=ids)
    def save_equal_bytes(self, id: str) -> None:
        self.store.save(session_of(id, "equal"), overwrite=True)

    @rule(id=ids)
    def trace(self, id: str) -> None:
        self.store.append_trace_events(id, [event_of(self.fresh())])

    @rule(id=ids)
    def trace_equal_bytes(self, id: str) -> None:
        self.store.save_trace_events(id, [event_of("equal")])

    @rule(id=ids)
    def delete(self, id: str) -> None:
        self.store.delete(id)

    @rule(id=ids)
    def purge(self, id: str) -> None:
        self.store.purge(id)

    @rule(id=ids)
    def redact(self, id: str) -> None:
        with suppress(SessionNotFoundError, SessionCorruptedError):
            self.store.redact(id, lambda text: text.replace("said", "redacted"))

    @rule(id=ids)
    def corrupt(self, id: str) -> None:
        self.store.bucket.put(f"agents/{self.store.raw.stem(id)}.json", b"{")

    @rule(count=st.sampled_from([None, 1, 2, 5]))
    def export(self, count: int | None) -> None:
        self.lake.export(ranges=count)
        assert self.lake.tables() == self.lake.fresh(ranges=1)

    @rule(at=st.integers(0, 12))
    def export_that_is_interrupted(self, at: int) -> None:
        with interrupted(self.lake.out, at):
            self.lake.export()


class interrupted:  # noqa: N801 (used as a statement)
    """Lets the change number ``at`` of a bucket in memory fail after it was done, and suppresses the error."""

    def __init__(self, out: str, at: int) -> None:
        self._out, self._at = out, at
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> None:
        changes = 0

        def failing(inner: Callable[..., Any]) -> Callable[..., Any]:
            def change(*args: Any, **kwargs: Any) -> Any:
                nonlocal changes
                result = inner(*args, **kwargs)
                changes += 1
                if changes > self._at:
                    raise InterruptedExportError
                return result

            return change

        def opened(url: str, **options: Any) -> SessionStore[Any]:
            store = open_store(url, **options)
            if url == self._out:
                store.bucket.put = failing(store.bucket.put)  # type: ignore[method-assign]
                store.bucket.delete = failing(store.bucket.delete)  # type: ignore[method-assign]
            return store

        for module in ("planning", "ranges"):
            self._patch.setattr(f"sessionbucket.export.{module}.open_store", opened)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._patch.undo()
        return kind is InterruptedExportError


class InterruptedExportError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("examples", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_an_export_equals_a_full_one_after_any_history(examples: int):
    run_state_machine_as_test(Histories, settings=settings(max_examples=examples, stateful_step_count=25))


def filled(lake: Lake, number: int = 8, first: int = 0) -> Lake:
    for at in range(first, number):
        lake.store.save_turn(session_of(f"s{at}x", f"text {at}"), trace_events=[event_of(f"e{at}")])
    return lake


@pytest.mark.parametrize("at", range(8))
def test_an_export_that_was_killed_after_any_change_is_completed_by_the_next(at: int):
    lake = filled(Lake())
    lake.export(ranges=1)
    before = lake.store.load("s3x")
    changed = lake.store.load("s3x")
    say(changed, "new")
    lake.store.save(changed)
    with interrupted(lake.out, at):
        lake.export()
    lake.export()
    assert lake.tables() == lake.fresh()
    with interrupted(lake.out, at):
        lake.export(ranges=2)
    # The session has its old bytes again, and so the ETag that the first manifest has.
    lake.store.save(before, overwrite=True)
    lake.export()
    assert lake.tables() == lake.fresh()


KILLED = """
import os, sys
from sessionbucket import FileBucket
from sessionbucket.export import export_range, plan_export
url, out, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
planned, put = plan_export(url, out), FileBucket.put
def counted(self, *args, **kwargs):
    global left
    if left == 0:
        os._exit(9)
    left -= 1
    return put(self, *args, **kwargs)
FileBucket.put = counted
for each in planned:
    export_range(url, each, out)
"""


@pytest.mark.slow
@pytest.mark.parametrize("puts", range(6))
def test_a_killed_process_leaves_an_export_that_is_completed_by_the_next(tmp_path: Path, puts: int):
    lake = filled(Lake((tmp_path / "store").as_uri(), (tmp_path / "lake").as_uri()))
    lake.export(ranges=1)
    lake.store.delete("s1x")
    command = [sys.executable, "-c", KILLED, lake.url, lake.out, str(puts)]
    assert subprocess.run(command, env=environment(), check=False).returncode == 9
    assert not list((tmp_path / "lake" / "_manifest").glob("[0-9a-f]*.json"))
    lake.export()
    assert lake.tables() == lake.fresh()


def test_only_the_range_of_a_change_is_written():
    lake = filled(Lake())
    assert {each.outcome for each in lake.export(ranges=4)} == {"written"}
    planned = plan_export(lake.url, lake.out)
    assert len(planned) == 4
    assert [each.outcome for each in lake.export()] == ["unchanged"] * 4
    lake.store.append_trace_events("s0x", [event_of("more")])
    lake.store.delete("s7x")
    assert [each.outcome for each in lake.export()] == ["written", "unchanged", "unchanged", "written"]


def test_a_changed_option_writes_every_range_again():
    lake = filled(Lake())
    lake.export(ranges=2)
    lake.options["text"] = False
    assert [each.outcome for each in lake.export()] == ["written"] * 2
    assert [each.outcome for each in lake.export()] == ["unchanged"] * 2


def test_a_later_schema_writes_every_range_again(monkeypatch: pytest.MonkeyPatch):
    lake = filled(Lake())
    lake.export(ranges=2)
    bucket = memory_bucket(lake.out)
    for key, body in lake.objects().items():
        if key.startswith("_manifest/") and key != "_manifest/ranges.json":
            bucket.put(key, body.replace(b'"schema":1', b'"schema":0'))
    assert [each.outcome for each in lake.export()] == ["written"] * 2


def test_another_number_of_ranges_leaves_no_file_of_the_old_ones():
    lake = filled(Lake())
    lake.export(ranges=4)
    old = set(lake.objects())
    memory_bucket(lake.out).put("sessions/notes.parquet", b"a file of another program")
    memory_bucket(lake.out).put("_manifest/notes.json", b"another one")
    lake.export(ranges=1)
    now = set(lake.objects())
    assert now & old == {"_manifest/ranges.json"}
    assert {"sessions/notes.parquet", "_manifest/notes.json"} < now
    memory_bucket(lake.out).delete(["sessions/notes.parquet"])
    assert lake.tables() == lake.fresh()
    assert len(now) == 2 + 1 + 1 + len(TABLES)


def test_a_store_that_has_outgrown_its_split_is_split_anew():
    lake = filled(Lake(), 1)
    lake.export()
    filled(lake, 10, first=1)
    assert len(lake.export()) >= 5
    assert len(lake.export(ranges=2)) == 2
    assert len(lake.export()) == 2


def test_a_file_that_another_export_has_replaced_is_written_again():
    lake = filled(Lake())
    lake.export(ranges=1)
    (key,) = [key for key in lake.objects() if key.startswith("messages/")]
    memory_bucket(lake.out).put(key, b"late")
    lake.export()
    assert lake.tables() == lake.fresh()
    memory_bucket(lake.out).delete([key])
    assert [each.outcome for each in lake.export()] == ["written"]


@pytest.mark.parametrize("part", ["session", "traces"])
def test_what_changes_during_an_export_and_back_is_exported_again(monkeypatch: pytest.MonkeyPatch, part: str):
    """The next listing has the ETag of the first, but not that of the contents that were exported."""
    lake = filled(Lake(), 2)
    key = "agents/s0x.json" if part == "session" else "agents/traces/s0x.json"
    inner = memory_bucket(lake.url)
    before = inner.get(key, max_bytes=1 << 20)

    def change() -> None:
        if part == "session":
            lake.store.update("s0x", lambda session: say(session, "meanwhile"))
        else:
            lake.store.append_trace_events("s0x", [event_of("meanwhile")])

    bucket = FaultyBucket(inner)
    bucket.run_before(change, "get", key=key)

    def opened(url: str, **options: Any) -> SessionStore[Any]:
        if url != lake.url:
            return open_store(url, **options)
        return SessionStore(bucket, "agents", model=options.get("model", SessionData))

    with monkeypatch.context() as patch:
        patch.setattr(ranges, "open_store", opened)
        lake.export(ranges=1)
    assert "meanwhile" in repr(lake.tables())
    inner.put(key, before.body, metadata=before.info.metadata)
    assert [each.outcome for each in lake.export()] == ["written"]
    assert lake.tables() == lake.fresh()


@pytest.mark.parametrize("make", ["purge", "delete"])
def test_a_purged_session_is_nowhere_in_the_destination(make: str):
    lake = filled(Lake())
    id = f"s-{CANARY}"
    session = session_of(id, CANARY)
    session.config.name = CANARY
    lake.store.save_turn(session, trace_events=[event_of(CANARY)])
    lake.export(ranges=3)
    assert lake.keeps(CANARY)
    getattr(lake.store, make)(id)
    lake.export()
    assert not lake.keeps(CANARY)
    assert not lake.keeps(id)


def test_a_redacted_text_is_nowhere_in_the_destination():
    lake = filled(Lake())
    lake.store.save_turn(session_of("r", CANARY), trace_events=[event_of(CANARY)])
    lake.export(ranges=3)
    lake.store.redact("r", lambda text: text.replace(CANARY, "[redacted]"))
    lake.export()
    assert not lake.keeps(CANARY)
    assert lake.keeps("[redacted]")


def test_a_folder_is_read_again_until_its_files_are_two_seconds_old(tmp_path: Path):
    lake = filled(Lake((tmp_path / "store").as_uri()))
    lake.export(ranges=1)
    assert [each.outcome for each in lake.export()] == ["written"]
    for file in (tmp_path / "store").rglob("*.json"):
        at = file.stat().st_mtime - 10
        os.utime(file, (at, at))
    assert [each.outcome for each in lake.export()] == ["written"]
    assert [each.outcome for each in lake.export()] == ["unchanged"]
    lake.store.delete("s1x")
    assert [each.outcome for each in lake.export()] == ["written"]
    assert lake.tables() == lake.fresh()


def test_a_destination_belongs_to_one_store_and_prefix():
    lake = filled(Lake())
    lake.export()
    other = filled(Lake(out=lake.out))
    with pytest.raises(InvalidArgumentError, match="has the export of"):
        other.export()
    with pytest.raises(InvalidArgumentError, match="choose another destination"):
        lake.export(prefix="s1")
    memory_bucket(lake.out).delete(["_manifest/ranges.json"])
    other.export(prefix="s1")
    assert [row["session_id"] for row in lake.tables()["sessions"]] == ["s1x"]


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"format":1}', b'{"format":1,"ranges":[]}'])
def test_damaged_documents_of_the_destination_are_made_again(damage: bytes):
    lake = filled(Lake())
    lake.export(ranges=2)
    for key in lake.objects():
        if key.startswith("_manifest/"):
            memory_bucket(lake.out).put(key, damage)
    lake.export(ranges=2)
    assert lake.tables() == lake.fresh()


def test_documents_of_a_later_format_are_refused():
    lake = filled(Lake())
    lake.export()
    memory_bucket(lake.out).put("_manifest/ranges.json", b'{"format":2}')
    with pytest.raises(NotSupportedError, match="newer release"):
        lake.export()


@pytest.mark.parametrize("count", [0, "3", 1.5])
def test_a_bad_number_of_ranges_is_refused(count: Any):
    with pytest.raises(InvalidArgumentError, match="ranges"):
        plan_export("memory://x", "memory://y", ranges=count)


def test_an_unavailable_store_stops_the_export_and_nothing_counts(monkeypatch: pytest.MonkeyPatch):
    lake = filled(Lake())
    lake.export(ranges=1)
    before = lake.objects()
    lake.store.delete("s1x")
    bucket = FaultyBucket(memory_bucket(lake.url))
    bucket.fail("get", key="agents/s3x.json", times=None)

    def opened(url: str, **options: Any) -> SessionStore[Any]:
        return SessionStore(bucket, "agents") if url == lake.url else open_store(url, **options)

    monkeypatch.setattr(ranges, "open_store", opened)
    with pytest.raises(StoreUnavailableError):
        lake.export()
    assert lake.objects() == before


def test_an_unchanged_range_costs_six_requests_and_its_listings(monkeypatch: pytest.MonkeyPatch):
    lake = filled(Lake())
    lake.export(ranges=1)
    (planned,) = plan_export(lake.url, lake.out)
    source, out = (FaultyBucket(memory_bucket(url)) for url in (lake.url, lake.out))

    def opened(url: str, **options: Any) -> SessionStore[Any]:
        return SessionStore(source, "agents") if url == lake.url else SessionStore(out)

    monkeypatch.setattr(ranges, "open_store", opened)
    assert ranges.export_range(lake.url, planned, lake.out).outcome == "unchanged"
    assert [call.operation for call in source.calls] == ["list_page"] * 2
    assert sorted(call.operation for call in out.calls) == ["get", *["list_page"] * 5]


@pytest.mark.slow
def test_the_memory_of_a_range_does_not_grow_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ranges, "_GROUP_BYTES", 1 << 20)
    lake = Lake((tmp_path / "store").as_uri(), (tmp_path / "lake").as_uri())
    peaks = []
    for number in (100, 600):
        for at in range(number):
            lake.store.save(session_of(f"s{at}x", f"text {at} " * 10_000), overwrite=True)
        tracemalloc.start()
        lake.export(ranges=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_snapshots_of_a3s_code_are_exported_with_their_trace_events(tmp_path: Path, kind: str):
    lake = Lake((tmp_path / "store").as_uri() if kind == "folder" else "")
    body = snapshot_of(session_of("snap", "in a snapshot"))
    start = "" if kind == "folder" else "agents/"
    lake.store.bucket.put(f"{start}{v1_name('snap')}", body)
    lake.export(ranges=1)
    assert [row["text"] for row in lake.tables()["messages"]] == ["in a snapshot"]
    assert [row["name"] for row in lake.tables()["trace_events"]] == ["event of snap"]
    for file in (tmp_path / "store").rglob("*.json"):
        at = file.stat().st_mtime - 10
        os.utime(file, (at, at))
    outcomes = [each.outcome for _ in range(2) for each in lake.export()]
    # A listing of a bucket does not prove that the session in a snapshot is the same.
    assert outcomes == ["written", "unchanged" if kind == "folder" else "written"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named_and_the_last_export_stays(monkeypatch: pytest.MonkeyPatch):
    lake = filled(Lake())
    lake.export(ranges=1)
    before = lake.objects()
    lake.store.delete("s1x")
    monkeypatch.setattr(
        "sessionbucket.export.tables.TemporaryFile",
        lambda: Path("/dev/full").open("r+b", buffering=0),  # noqa: SIM115
    )
    with pytest.raises(StorageError, match="No space left"):
        lake.export()
    assert lake.objects() == before


@pytest.fixture
def seaweed_lake(location_of: Callable[[str], Location]) -> Lake:
    source, out = location_of("seaweedfs"), location_of("seaweedfs")
    return Lake(source.url(), out.url())


@pytest.mark.slow
def test_an_unchanged_export_on_a_server_reads_no_session(seaweed_lake: Lake):
    lake = filled(seaweed_lake, 3)
    assert [each.outcome for each in lake.export(ranges=1)] == ["written"]
    assert [each.outcome for each in lake.export()] == ["unchanged"]
    lake.store.purge("s2x")
    assert [each.outcome for each in lake.export()] == ["written"]
    assert [row["session_id"] for row in lake.tables()["trace_events"]] == ["s0x", "s1x"]
