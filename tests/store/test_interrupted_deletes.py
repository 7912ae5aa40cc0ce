"""A delete that fails for some keys raises an error with those keys, leaves the session listed, and can be repeated."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.samples import artifacts_of, event_of, report_of, session_of
from sessionbucket import DeleteIncompleteError, MemoryBucket, SessionStore


class UndeletingBucket(MemoryBucket):
    """Refuses to delete keys with one ending, as a policy on some objects would."""

    refused = ""

    def delete(self, keys: Sequence[str]) -> None:
        kept = [key for key in keys if self.refused and key.endswith(self.refused)]
        super().delete([key for key in keys if key not in kept])
        if kept:
            raise DeleteIncompleteError(kept, location=self.location, reason="AccessDenied")


@pytest.fixture
def bucket() -> UndeletingBucket:
    return UndeletingBucket()


@pytest.fixture
def store(bucket: UndeletingBucket) -> SessionStore:
    store = SessionStore(bucket)
    store.save_turn(
        session_of("s"),
        artifacts=artifacts_of("output"),
        trace_events=[event_of("x")],
        verification_reports=[report_of("y")],
    )
    store.put_file("s", "big.bin", b"big")
    return store


@pytest.mark.parametrize(
    "key", ["traces/s.json", "verification/s.json", "artifacts/s/artifacts.json", "artifacts/s/files/big.bin"]
)
def test_a_part_that_was_not_deleted_keeps_its_session_listed(
    store: SessionStore, bucket: UndeletingBucket, key: str
):
    bucket.refused = key
    with pytest.raises(DeleteIncompleteError) as caught:
        store.delete("s")
    assert caught.value.keys == [key]
    assert store.list() == ["s"]
    assert store.exists("s")
    bucket.refused = ""
    store.delete("s")
    assert bucket.list_page("").objects == []


def test_a_session_object_that_was_not_deleted_is_still_listed(store: SessionStore, bucket: UndeletingBucket):
    bucket.refused = "s.json"
    with pytest.raises(DeleteIncompleteError):
        store.delete("s")
    assert store.list() == ["s"]
