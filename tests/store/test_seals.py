"""A text that this package printed is read without a second look; an edited one is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.samples import session_of
from sessionbucket import MemoryBucket, SessionCorruptedError, SessionStore, TraceEvent
from sessionbucket._codec import Codec
from sessionbucket._codec import codec as _codec

EVENT = TraceEvent.tool_execution("read", success=True, exit_code=0, duration=0, output_bytes=1)
REPEATED_ID = b'"id": "s",\n  "id": "s"'


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def store(bucket: MemoryBucket) -> SessionStore:
    store = SessionStore(bucket)
    store.save(session_of("s"))
    return store


@pytest.fixture
def second_looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the codec does to prove a text, in order."""
    looks: list[str] = []
    for owner, name in ((_codec, "parse"), (Codec, "_print")):
        monkeypatch.setattr(owner, name, noting(looks, name, getattr(owner, name)))
    return looks


def noting(looks: list[str], name: str, look: Callable) -> Callable:
    def noted(*arguments):
        looks.append(name)
        return look(*arguments)

    return noted


def edit(bucket: MemoryBucket, key: str, change: Callable[[bytes], bytes], *, keep_metadata: bool) -> None:
    """What an editor does to an object through a mount that keeps metadata, or one that drops it."""
    found = bucket.get(key, max_bytes=1 << 20)
    metadata = found.info.metadata if keep_metadata else {}
    bucket.put(key, change(found.body), metadata=metadata)


def test_what_was_saved_is_read_without_a_second_look(store: SessionStore, second_looks: list[str]):
    assert store.load("s").id == "s"
    assert second_looks == []


def test_what_was_saved_by_overwriting_is_too(store: SessionStore, second_looks: list[str]):
    store.save(session_of("s"), overwrite=True)
    second_looks.clear()
    assert store.load("s").id == "s"
    assert second_looks == []


def test_parts_are_too(store: SessionStore, second_looks: list[str]):
    store.save_trace_events("s", [EVENT])
    store.append_trace_events("s", [EVENT])
    second_looks.clear()
    assert store.load_trace_events("s") == [EVENT, EVENT]
    assert second_looks == []


def test_the_text_without_its_seal_is_printed_again_and_not_parsed_again(
    store: SessionStore, bucket: MemoryBucket, second_looks: list[str]
):
    edit(bucket, "s.json", bytes, keep_metadata=False)
    assert store.load("s").id == "s"
    assert second_looks == ["_print"]


@pytest.mark.parametrize("keep_metadata", [True, False])
def test_an_edited_text_is_looked_at_closely(
    store: SessionStore, bucket: MemoryBucket, second_looks: list[str], keep_metadata: bool
):
    edit(bucket, "s.json", lambda body: body.replace(b",\n", b", "), keep_metadata=keep_metadata)
    assert store.load("s").id == "s"
    assert second_looks == ["_print", "parse"]


@pytest.mark.parametrize("keep_metadata", [True, False])
def test_a_member_that_an_edit_repeated_is_refused(
    store: SessionStore, bucket: MemoryBucket, keep_metadata: bool
):
    edit(
        bucket,
        "s.json",
        lambda body: body.replace(b'"id": "s"', REPEATED_ID, 1),
        keep_metadata=keep_metadata,
    )
    with pytest.raises(SessionCorruptedError, match="repeated member 'id'"):
        store.load("s")


def test_a_server_that_changes_the_case_of_names_keeps_the_seal(
    store: SessionStore, bucket: MemoryBucket, second_looks: list[str]
):
    found = bucket.get("s.json", max_bytes=1 << 20)
    bucket.put("s.json", found.body, metadata={k.upper(): v for k, v in found.info.metadata.items()})
    assert store.load("s").id == "s"
    assert second_looks == []
