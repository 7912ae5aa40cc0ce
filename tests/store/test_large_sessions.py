"""A save of a large session warns once."""

from __future__ import annotations

import logging

import pytest

from sessionbucket import Conversation, MemoryBucket, SessionStore


def test_the_first_large_save_of_a_store_is_logged_with_its_size_and_the_ways_out(
    caplog: pytest.LogCaptureFixture,
):
    store = SessionStore(MemoryBucket(), model=Conversation)
    store.save(Conversation(id="small", metadata={"text": "x" * 7_900_000}))
    assert caplog.records == []
    for id in ("one", "two"):
        store.save(Conversation(id=id, metadata={"text": "x" * 8_500_000}))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    for part in ("'one'", "8.5 MB", "put_file", "AppendLog", "compact"):
        assert part in record.getMessage()
