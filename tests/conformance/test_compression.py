"""The store: compression of sessions and parts."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import pytest

from both_sides import SyncSide
from conformance.conftest import Opener
from conformance.locations import ENGINES, FILE, MEMORY, VERSIONED, unique_name
from conformance.samples import artifacts_of, event_of, report_of, session_of
from sessionbucket import (
    AccessDeniedError,
    Conversation,
    InvalidArgumentError,
    Keyring,
    NotSupportedError,
    SessionCorruptedError,
    SessionTooLargeError,
    summarize,
)
from sessionbucket.testing import AsyncFaultyBucket, FaultyBucket

NAME = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
try:
    ZSTD: Any = import_module(NAME)
except ImportError:
    ZSTD = None

pytestmark = pytest.mark.skipif(ZSTD is None, reason="needs the extra zstd")

in_memory = pytest.mark.parametrize("location", [MEMORY], indirect=True)
in_buckets = pytest.mark.parametrize("location", [kind for kind in ENGINES if kind != FILE], indirect=True)
in_a_folder = pytest.mark.parametrize("location", [FILE], indirect=True)


TEXT = "a text " * 20
KEYS = Keyring({"2026": bytes(range(32))}, primary="2026")


def text_of(body: bytes) -> bytes:
    text: bytes = ZSTD.decompress(body)
    return text


@in_buckets
def test_compressed_and_plain_versions_lie_side_by_side_and_every_store_reads_both(opener: Opener):
    packing, plain = opener.store(compression="zstd"), opener.store()
    packing.save(session_of("packed", TEXT))
    plain.save(session_of("plain", TEXT))
    body = opener.read("packed.json")
    assert text_of(body).startswith(b'{\n  "id": "packed"')
    assert len(body) < len(text_of(body))
    for store in (packing, plain):
        assert store.load("packed").messages == session_of("packed", TEXT).messages
        assert store.load("plain").messages == session_of("plain", TEXT).messages
    changed = plain.load("packed")
    changed.total_cost = 2.0
    plain.save(changed)
    assert opener.read("packed.json").startswith(b"{")


@in_buckets
def test_a_compressed_object_has_its_content_encoding(opener: Opener):
    opener.store(compression="zstd").save(session_of("s", TEXT))
    opener.store(compression="zstd").put_file("s", "x", ZSTD.compress(b"a file"))
    location = opener.location
    if location.is_s3:
        encodings = [
            location.raw.head_object(Bucket=location.bucket, Key=location.key(name)).get("ContentEncoding")
            for name in ("s.json", "artifacts/s/files/x")
        ]
        assert encodings == ["zstd", None]


@in_memory
def test_parts_and_updates_and_copies_are_compressed_and_read(opener: Opener):
    store = opener.store(compression="zstd")
    store.save_turn(
        session_of("s", TEXT),
        artifacts=artifacts_of("one"),
        trace_events=[event_of("read")],
        verification_reports=[report_of("s")],
    )
    store.append_trace_events("s", [event_of("write")])
    for name in ("s.json", "artifacts/s/artifacts.json", "traces/s.json", "verification/s.json"):
        assert text_of(opener.read(name))[:1] in (b"{", b"[")
    assert [event.name for event in store.load_trace_events("s")] == ["read", "write"]
    version = store.version_of(store.load("s"))
    store.update("s", lambda session: None)
    assert store.version_of(store.load("s")) == version
    store.update("s", lambda session: setattr(session, "total_cost", 3.0))
    assert store.load("s").total_cost == 3.0
    assert store.raw.get("s").body.startswith(b"{")


@in_memory
def test_an_id_of_two_names_is_found_compressed(opener: Opener):
    store = opener.store(compression="zstd")
    opener.store().save(session_of("a/b", TEXT))
    text = opener.read("a%2Fb.json")
    store.delete("a/b")
    opener.write("a_b.json", ZSTD.compress(text))
    assert store.load("a/b").messages == session_of("a/b", TEXT).messages


@in_buckets
def test_the_summary_of_a_compressed_session_costs_no_read(opener: Opener):
    session = session_of("s", TEXT)
    opener.store(compression="zstd").save(session)
    bucket = opener.side.wrapper(opener.bucket(), FaultyBucket, AsyncFaultyBucket)
    store = opener.side.store(bucket, opener.location.key(""))
    assert store.summary("s") == summarize(session)
    assert list(store.summaries()) == [summarize(session)]
    assert not [call for call in bucket.calls if call.operation == "get" and call.keys[0].endswith("s.json")]


@in_memory
@pytest.mark.parametrize("packing", ["source", "target"])
def test_a_copy_into_or_out_of_a_compressed_store_has_its_summary(opener: Opener, packing: str):
    compression = {packing: "zstd"}
    source = opener.store("one", compression=compression.get("source"))
    source.save(session_of("s", TEXT))
    target = opener.store("two", compression=compression.get("target"))
    assert [each.outcome for each in opener.side.make("copy_sessions", source, target)] == ["copied"]
    info = opener.bucket().head("two/s.json")
    assert info.metadata["summary"].split(",")[1] == str(info.size)


@in_memory
def test_an_interrupted_fork_of_compressed_parts_can_be_repeated(opener: Opener):
    bucket = opener.side.wrapper(opener.bucket(), FaultyBucket, AsyncFaultyBucket)
    store = opener.side.store(bucket, compression="zstd")
    store.save_turn(session_of("s", TEXT), trace_events=[event_of("read")])
    bucket.fail("put", key="t.json", error=AccessDeniedError("no", location=store.location))
    with pytest.raises(AccessDeniedError):
        store.fork("s", "t")
    bucket.clear_faults()
    assert store.fork("s", "t").messages == session_of("s", TEXT).messages
    assert store.load_trace_events("t") == [event_of("read")]


@pytest.mark.parametrize("location", VERSIONED[:1], indirect=True)
def test_compressed_versions_are_loaded_compared_restored_and_redacted(opener: Opener):
    store = opener.store(compression="zstd")
    session = session_of("s", TEXT)
    store.save(session)
    session.total_cost = 2.0
    store.save(session)
    new, old = store.history.versions("s")
    assert store.history.load("s", old.version_id).total_cost == 0
    assert store.history.diff("s", old.version_id, new.version_id).changed == {"total_cost": (0.0, 2.0)}
    assert store.history.undo("s").total_cost == 0
    assert text_of(opener.read("s.json")).startswith(b"{")
    store.redact("s", lambda text: text.replace("a text", "nothing"))
    assert b"a text" not in text_of(opener.read("s.json"))
    assert len(list(store.history.versions("s"))) == 1


@pytest.mark.parametrize("location", VERSIONED[:1], indirect=True)
def test_compressed_versions_under_a_legacy_name_are_purged(opener: Opener):
    opener.store().save(session_of("a/b", TEXT))
    text = opener.read("a%2Fb.json")
    opener.store().purge("a/b")
    opener.write("a_b.json", ZSTD.compress(text))
    opener.store().purge("a/b")
    assert opener.names() == []
    assert opener.bucket().list_versions("").versions == []


@pytest.mark.parametrize("telemetry", [False, True])
def test_a_session_is_compressed_before_it_is_encrypted(side: SyncSide, telemetry: bool):
    name = unique_name()
    store = side.make(
        "open_store", f"memory://{name}", encryption=KEYS, compression="zstd", telemetry=telemetry
    )
    session = session_of("s", TEXT * 100)
    store.save(session)
    assert side.make("MemoryBucket", name).head("s.json").size < len(TEXT * 100) / 10
    assert text_of(store.bucket.get("s.json", max_bytes=100_000).body).startswith(b"{")
    assert store.load("s").messages == session.messages
    assert store.summary("s") == summarize(session)


@in_memory
def test_conversations_are_compressed(opener: Opener):
    store = opener.store(model=Conversation, compression="zstd")
    store.save(Conversation(id="c", messages=[{"role": "user", "content": "Hi " * 100}]))
    assert text_of(opener.read("c.json")).startswith(b'{"format"')
    assert store.load("c").messages == [{"role": "user", "content": "Hi " * 100}]


@in_a_folder
def test_a_folder_is_never_compressed_and_a_synced_one_is_read(opener: Opener):
    with pytest.raises(InvalidArgumentError, match="a folder keeps plain JSON"):
        opener.store(compression="zstd")
    opener.store().save(session_of("s", TEXT))
    text = opener.read("s.json")
    opener.write("s.json", ZSTD.compress(text))
    store = opener.store()
    session = store.load("s")
    assert session.messages == session_of("s", TEXT).messages
    store.save(session)
    assert opener.read("s.json") == text


@in_memory
def test_a_bomb_is_refused_before_it_is_in_memory(opener: Opener):
    opener.write("s.json", ZSTD.compress(b" " * 50_000_000))
    with pytest.raises(SessionTooLargeError):
        opener.store(max_bytes=10_000).load("s")


@in_memory
@pytest.mark.parametrize("cut", [slice(None, 4), slice(None, -1), slice(None, 20)])
def test_a_damaged_body_is_refused(opener: Opener, cut: slice):
    opener.store(compression="zstd").save(session_of("s", TEXT))
    body = opener.read("s.json")
    for damaged in (body[cut], body + b"x", body + body):
        opener.write("s.json", damaged)
        with pytest.raises(SessionCorruptedError, match="damaged"):
            opener.store().load("s")


@in_memory
def test_an_unknown_compression_and_a_missing_library_are_named(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
):
    with pytest.raises(InvalidArgumentError, match="'gzip'"):
        opener.store(compression="gzip")
    monkeypatch.setitem(sys.modules, NAME, None)
    if "backports" in sys.modules:
        monkeypatch.delattr("backports.zstd", raising=False)
    with pytest.raises(NotSupportedError, match=r"sessionbucket\[zstd\]"):
        opener.store(compression="zstd")
