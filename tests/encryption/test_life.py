"""History, erasure, summaries and leases of an encrypted store, in a bucket that keeps versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sessionbucket import Keyring, Message, SessionData, SessionStore

CANARY = "the-secret-word"


@pytest.fixture
def bucket(side: Any) -> Any:
    return side.make("MemoryBucket", keep_versions=True)


@pytest.fixture
def store(side: Any, bucket: Any) -> SessionStore:
    keyring = Keyring({"1": bytes(range(32))}, primary="1")
    encrypted = side.make("EncryptingBucket", bucket, keyring, "p")
    return side.store(encrypted, "p")


def everything(bucket: Any) -> bytes:
    """The bodies and the metadata of all versions, as they lie in the bucket."""
    found = []
    page = bucket.list_versions("")
    for row in page.versions:
        stored = bucket.get_version(row.key, row.version_id, max_bytes=1 << 20)
        if stored is not None:
            found += [stored.body, repr(stored.info.metadata).encode()]
    return b"".join(found)


def session_with(*texts: str) -> SessionData:
    return SessionData(id="s", messages=[Message.user(text) for text in texts])


def test_an_earlier_version_is_loaded_restored_and_compared(store: SessionStore):
    session = session_with("one")
    store.save(session)
    session.messages.append(Message.user("two"))
    store.save(session)
    _, first = store.history.versions("s")
    assert len(store.history.load("s", first.version_id).messages) == 1
    store.history.undo("s")
    assert [message.text for message in store.load("s").messages] == ["one"]


def test_an_undo_passes_over_versions_with_equal_contents_and_other_etags(store: SessionStore):
    session = session_with("one")
    store.save(session)
    session.messages.append(Message.user("two"))
    for _ in range(2):
        store.save(session)
    assert len({version.version for version in store.history.versions("s")}) == 3
    store.history.undo("s")
    assert [message.text for message in store.load("s").messages] == ["one"]


def test_a_summary_is_encrypted_and_read(store: SessionStore, bucket: Any):
    store.save(session_with(CANARY))
    assert store.summary("s").title == CANARY
    assert [summary.title for summary in store.summaries()] == [CANARY]
    assert CANARY.encode() not in everything(bucket)


def test_a_redaction_leaves_the_text_in_no_version(store: SessionStore):
    store.save(session_with(CANARY, "two"))
    store.redact("s", lambda text: text.replace(CANARY, "[redacted]"))
    assert store.load("s").messages[0].text == "[redacted]"
    assert len([*store.history.versions("s")]) == 1


def test_a_purge_leaves_nothing(store: SessionStore, bucket: Any):
    store.save(session_with(CANARY))
    list(store.summaries())
    with store.lease("s", ttl=timedelta(seconds=30)):
        store.update("s", lambda session: session.messages.append(Message.user("two")))
    store.purge("s")
    assert [row.key for row in bucket.list_versions("").versions if "probe" not in row.key] == []
