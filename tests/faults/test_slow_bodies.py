"""A server that sends one byte now and then: every call ends within its time limit. No body here ends before the client does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import Drip, stall_after
from sessionbucket import SessionData, StoreUnavailableError

KEY = "s.json"
QUICK = {"connect_timeout": 1.0, "read_timeout": 1.0, "max_attempts": 1}
LARGE = bytes(1 << 20)


@pytest.fixture(params=["moto"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(site: Site) -> Any:
    store = site.store(**QUICK)
    store.save(SessionData(id="s", tool_names=["first"]))
    store.put_file("s", "x", LARGE)
    site.proxy.reset()
    return store


@pytest.mark.slow
@pytest.mark.parametrize(
    "call",
    ["load", *(pytest.param(call, marks=pytest.mark.slow) for call in ("list", "list_files", "update"))],
)
def test_a_read_whose_body_drips_ends_with_our_error(site: Site, store: Any, call: str) -> None:
    drip = Drip()
    site.proxy.on(requests("GET"), drip, times=None)
    calls = {
        "load": lambda: store.load("s"),
        "list": store.list,
        "list_files": lambda: store.list_files("s"),
        "update": lambda: store.update("s", lambda session: session),
    }
    with pytest.raises(StoreUnavailableError, match="in time"):
        calls[call]()
    assert not drip.has_ended


def test_a_save_whose_response_drips_is_resolved(site: Site, store: Any) -> None:
    """obstore ignores the body of this response, so its save succeeds at once."""
    drip = Drip()
    site.proxy.on(requests("PUT", KEY), drip, times=None)
    session = store.load("s")
    session.tool_names.append("second")
    store.save(session)
    assert not drip.has_ended
    assert site.someone_else().load("s").tool_names == ["first", "second"]


@pytest.mark.slow
def test_a_save_whose_error_drips_ends(site: Site, store: Any) -> None:
    session = store.load("s")
    site.someone_else().update("s", lambda session: session.tool_names.append("other"))
    drip = Drip()
    site.proxy.on(requests("PUT", KEY), drip, times=None)
    with pytest.raises(Exception, match=r"may or may not|changed") as caught:
        store.save(session)
    assert not drip.has_ended
    assert type(caught.value).__name__ in ("SessionConflictError", "StoreUnavailableError")
    assert site.someone_else().load("s").tool_names == ["first", "other"]


@pytest.mark.slow
def test_a_file_whose_body_drips_ends_with_our_error(site: Site, store: Any) -> None:
    drip = Drip()
    site.proxy.on(requests("GET", "files/x"), drip, times=None)
    with store.open_file("s", "x") as file, pytest.raises(StoreUnavailableError, match="in time"):
        file.read()
    assert not drip.has_ended


@pytest.mark.slow
@pytest.mark.parametrize("size", [-1, 700_000])
def test_after_a_read_that_timed_out_the_next_one_raises(site: Site, store: Any, size: int) -> None:
    """It must not return an empty body, as if the file ended there."""
    site.proxy.on(requests("GET", "files/x"), stall_after(500_000), times=None)
    with store.open_file("s", "x") as file:
        with pytest.raises(StoreUnavailableError, match="in time"):
            file.read(size)
        with pytest.raises(StoreUnavailableError, match="open the file again"):
            file.read(size)
        with pytest.raises(StoreUnavailableError, match="open the file again"):
            list(file)


def test_a_file_that_stalls_within_an_iteration_is_no_shorter_file(site: Site, store: Any) -> None:
    site.proxy.on(requests("GET", "files/x"), stall_after(500_000), times=None)
    with store.open_file("s", "x") as file:
        received: list[bytes] = []
        with pytest.raises(StoreUnavailableError, match="in time"):
            received.extend(file)
        assert sum(map(len, received)) <= 500_000
        with pytest.raises(StoreUnavailableError, match="open the file again"):
            file.read()


@pytest.mark.slow
def test_the_reader_of_a_file_may_pause_longer_than_the_limit(site: Site, store: Any) -> None:
    """Only the time that the server takes counts."""
    with store.open_file("s", "x") as file:
        received = file.read(1000)
        site.proxy.run(_pause())
        received += file.read()
    assert received == LARGE


async def _pause() -> None:
    await asyncio.sleep(2.5)
