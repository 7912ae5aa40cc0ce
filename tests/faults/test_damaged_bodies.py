"""Bodies that end early or arrive damaged are never taken for sessions, and never stored."""

from __future__ import annotations

import hashlib

import pytest

from faults.conftest import Site
from faults.misfortunes import corrupt_body, corrupt_upload, cut_body
from faults.proxy import requests
from sessionbucket import SessionData, StoreUnavailableError, TraceEvent

GET = requests("GET", "s.json")
ATTEMPTS = 3


@pytest.mark.parametrize("length", [0, 1, 100])
def test_a_body_that_ends_early_is_read_again(site: Site, length: int) -> None:
    store = site.store()
    store.save(SessionData(id="s", tool_names=["first"]))
    site.proxy.on(GET, cut_body(length), times=2)
    assert store.load("s").tool_names == ["first"]
    assert site.proxy.count("GET", "s.json") == 3


def test_a_body_that_always_ends_early_is_an_error(site: Site) -> None:
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


def test_damaged_trace_events_are_not_appended_to(site: Site) -> None:
    """What is read wrongly would be written back wrongly."""
    event = TraceEvent.tool_execution("a", success=True, exit_code=0, duration=0.0, output_bytes=0)
    store = site.store()
    store.append_trace_events("s", [event])
    site.proxy.on(requests("GET", "traces/s.json"), corrupt_body)
    store.append_trace_events("s", [event])
    assert len(store.load_trace_events("s")) == 2


@pytest.mark.parametrize("server", ["seaweed"], indirect=True)  # moto does not look at checksums
@pytest.mark.parametrize("kind", ["new", "known", "overwrite"])
def test_an_upload_that_is_damaged_on_the_way_is_refused_and_sent_again(site: Site, kind: str) -> None:
    store = site.store()
    session = SessionData(id="s", tool_names=["x" * 1000])
    if kind == "known":
        store.save(session)
        session.tool_names.append("second")
    site.proxy.on(requests("PUT", "s.json"), corrupt_upload)
    store.save(session, overwrite=kind == "overwrite")
    assert site.someone_else().load("s").tool_names == session.tool_names


@pytest.mark.parametrize("size", [100, 20_000_000])
@pytest.mark.parametrize("misfortune", ["cut", "damaged"])
def test_a_file_that_is_cut_or_damaged_is_never_read_as_whole(site: Site, size: int, misfortune: str) -> None:
    """A stream that has begun can't begin again, so the reader gets an error at the latest at its end."""
    content = bytes(range(256)) * (size // 256 + 1)
    store = site.store()
    store.put_file("s", "large.bin", content)
    fault = cut_body(len(content) // 2) if misfortune == "cut" else corrupt_body
    site.proxy.on(requests("GET", "large.bin"), fault, times=None)
    with (
        pytest.raises(StoreUnavailableError, match=r"connection failed|checksum"),
        store.open_file("s", "large.bin") as file,
    ):
        file.read()
    site.proxy.reset()
    with store.open_file("s", "large.bin") as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(content).digest()
