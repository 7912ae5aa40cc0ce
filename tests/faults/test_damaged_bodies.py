"""Truncated and damaged bodies are never returned as sessions, and never stored."""

from __future__ import annotations

import hashlib

import pytest

from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import corrupt_body, corrupt_upload, cut_body
from sessionbucket import SessionData, StoreUnavailableError
from sessionbucket.models import TraceEvent

GET = requests("GET", "s.json")
ATTEMPTS = 3


@pytest.mark.parametrize("length", [0, 1, 100])
def test_a_truncated_body_is_read_again(site: Site, length: int) -> None:
    store = site.store()
    store.save(SessionData(id="s", tool_names=["first"]))
    site.proxy.on(GET, cut_body(length), times=2)
    assert store.load("s").tool_names == ["first"]
    assert site.proxy.count("GET", "s.json") == 3


def test_a_body_that_is_always_truncated_is_an_error(site: Site) -> None:
    store = site.store(max_attempts=ATTEMPTS)
    store.save(SessionData(id="s"))
    site.proxy.on(GET, cut_body(100), times=None)
    with pytest.raises(StoreUnavailableError, match="connection failed") as caught:
        store.load("s")
    assert caught.value.key == f"{site.prefix}/s.json"
    assert site.proxy.url in str(caught.value)
    assert site.proxy.count("GET", "s.json") == ATTEMPTS


def test_a_damaged_body_is_read_again(site: Site) -> None:
    store = site.store()
    store.save(SessionData(id="s", tool_names=["first"]))
    site.proxy.on(GET, corrupt_body, times=2)
    assert store.load("s").tool_names == ["first"]
    assert site.proxy.count("GET", "s.json") == 3


def test_a_body_that_is_always_damaged_is_an_error(site: Site) -> None:
    store = site.store(max_attempts=ATTEMPTS)
    store.save(SessionData(id="s"))
    site.proxy.on(GET, corrupt_body, times=None)
    with pytest.raises(StoreUnavailableError, match="checksum") as caught:
        store.load("s")
    assert caught.value.key == f"{site.prefix}/s.json"
    assert site.proxy.count("GET", "s.json") == ATTEMPTS


def test_damaged_trace_events_are_read_again_before_an_append(site: Site) -> None:
    """Otherwise the append would write the damaged events back."""
    event = TraceEvent.tool_execution("a", success=True, exit_code=0, duration=0.0, output_bytes=0)
    store = site.store()
    store.append_trace_events("s", [event])
    site.proxy.on(requests("GET", "traces/s.json"), corrupt_body)
    store.append_trace_events("s", [event])
    assert len(store.load_trace_events("s")) == 2


@pytest.mark.parametrize("server", ["seaweed"], indirect=True)  # moto ignores checksums
@pytest.mark.parametrize("kind", ["new", "known", "overwrite"])
def test_an_upload_that_is_damaged_in_transit_is_rejected_and_sent_again(site: Site, kind: str) -> None:
    store = site.store()
    session = SessionData(id="s", tool_names=["x" * 1000])
    if kind == "known":
        store.save(session)
        session.tool_names.append("second")
    site.proxy.on(requests("PUT", "s.json"), corrupt_upload)
    store.save(session, overwrite=kind == "overwrite")
    assert site.someone_else().load("s").tool_names == session.tool_names


@pytest.mark.parametrize("server", ["moto", pytest.param("seaweed", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.parametrize("size", [100, 20_000_000])
@pytest.mark.parametrize("damage", ["cut", "damaged"])
def test_a_truncated_or_damaged_file_is_never_read_to_its_end_without_an_error(
    site: Site, size: int, damage: str
) -> None:
    """A stream cannot be restarted, so the reader gets an error at its end at the latest."""
    content = bytes(range(256)) * (size // 256 + 1)
    store = site.store()
    store.put_file("s", "large.bin", content)
    fault = cut_body(len(content) // 2) if damage == "cut" else corrupt_body
    site.proxy.on(requests("GET", "large.bin"), fault, times=None)
    with (
        pytest.raises(StoreUnavailableError, match=r"connection failed|checksum"),
        store.open_file("s", "large.bin") as file,
    ):
        file.read()
    site.proxy.reset()
    with store.open_file("s", "large.bin") as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(content).digest()
