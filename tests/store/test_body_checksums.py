"""A text with a matching body checksum is read without a second check, and an edited text is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.samples import session_of
from sessionbucket import MemoryBucket, SessionCorruptedError, SessionStore
from sessionbucket._codec import model_codec
from sessionbucket.models import TraceEvent

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
def second_checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the functions with which the codec checks a text again, in order."""
    checks: list[str] = []
    for owner, name in ((model_codec, "parse"), (model_codec.ModelCodec, "_print")):
        monkeypatch.setattr(owner, name, recorded(checks, name, getattr(owner, name)))
    return checks


def recorded(checks: list[str], name: str, check: Callable) -> Callable:
    def record(*arguments):
        checks.append(name)
        return check(*arguments)

    return record


def edit(bucket: MemoryBucket, key: str, change: Callable[[bytes], bytes], *, keep_metadata: bool) -> None:
    """Change an object as an editor does through a mount that keeps metadata, or through one that drops it."""
    found = bucket.get(key, max_bytes=1 << 20)
    metadata = found.info.metadata if keep_metadata else {}
    bucket.put(key, change(found.body), metadata=metadata)


def test_a_saved_session_is_read_without_a_second_check(store: SessionStore, second_checks: list[str]):
    assert store.load("s").id == "s"
    assert second_checks == []


def test_an_overwritten_session_is_read_without_a_second_check(store: SessionStore, second_checks: list[str]):
    store.save(session_of("s"), overwrite=True)
    second_checks.clear()
    assert store.load("s").id == "s"
    assert second_checks == []


def test_parts_are_read_without_a_second_check(store: SessionStore, second_checks: list[str]):
    store.save_trace_events("s", [EVENT])
    store.append_trace_events("s", [EVENT])
    second_checks.clear()
    assert store.load_trace_events("s") == [EVENT, EVENT]
    assert second_checks == []


def test_a_text_without_its_checksum_is_printed_again_and_not_parsed_again(
    store: SessionStore, bucket: MemoryBucket, second_checks: list[str]
):
    edit(bucket, "s.json", bytes, keep_metadata=False)
    assert store.load("s").id == "s"
    assert second_checks == ["_print"]


@pytest.mark.parametrize("keep_metadata", [True, False])
def test_an_edited_text_is_printed_and_parsed_again(
    store: SessionStore, bucket: MemoryBucket, second_checks: list[str], keep_metadata: bool
):
    edit(bucket, "s.json", lambda body: body.replace(b",\n", b", "), keep_metadata=keep_metadata)
    assert store.load("s").id == "s"
    assert second_checks == ["_print", "parse"]


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


def test_a_server_may_change_the_case_of_the_metadata_names(
    store: SessionStore, bucket: MemoryBucket, second_checks: list[str]
):
    found = bucket.get("s.json", max_bytes=1 << 20)
    bucket.put("s.json", found.body, metadata={k.upper(): v for k, v in found.info.metadata.items()})
    assert store.load("s").id == "s"
    assert second_checks == []
