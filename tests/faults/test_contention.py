"""Many writers update one session: each succeeds after few requests, and none replaces a version that it has not read."""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from both_sides import at_once, errors_in
from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import before, pass_on
from sessionbucket import SessionConflictError, SessionData
from sessionbucket.models import TraceEvent

SEVERAL = {"moto": 8, "seaweed": 4}
"""Concurrent writers, by the server."""
MANY_ATTEMPTS = 30
"""More attempts than any of the writers needs."""


@pytest.fixture(params=["moto", pytest.param("seaweed", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def event(name: str) -> TraceEvent:
    return TraceEvent.tool_execution(name, success=True, exit_code=0, duration=0.0, output_bytes=0)


@pytest.mark.parametrize(
    ("server", "writers"),
    [
        ("moto", 8),
        pytest.param("moto", 32, marks=pytest.mark.slow),
        pytest.param("seaweed", 4, marks=pytest.mark.slow),
    ],
    indirect=["server"],
)
def test_every_concurrent_update_of_a_session_succeeds_with_few_requests(site: Site, writers: int) -> None:
    store = site.store()
    store.save(SessionData(id="s"))
    site.proxy.reset()
    attempts = dict.fromkeys(range(writers), 0)

    def writer(number: int) -> Any:
        def change(session: SessionData) -> None:
            attempts[number] += 1
            session.tool_names.append(str(number))

        return lambda: store.update("s", change)

    assert errors_in(at_once([writer(number) for number in attempts])) == []
    assert sorted(store.load("s").tool_names, key=int) == [str(number) for number in attempts]
    # Each attempt is one GET and one PUT, as the proxy has recorded. So the attempts count the requests of each writer.
    assert site.proxy.count("PUT") == sum(attempts.values())
    assert site.proxy.count("GET") == sum(attempts.values()) + 1
    assert len(site.proxy.recorded) == 2 * sum(attempts.values()) + 1
    assert statistics.median(2 * count for count in attempts.values()) < 6


@pytest.mark.slow
def test_every_concurrent_create_by_update_succeeds(site: Site, server: str) -> None:
    store = site.store()

    def writer(number: int) -> Any:
        return lambda: store.update(
            "s",
            lambda session: session.tool_names.append(str(number)),
            create=lambda: SessionData(id="s"),
            attempts=MANY_ATTEMPTS,
        )

    count = SEVERAL[server]
    assert errors_in(at_once([writer(number) for number in range(count)])) == []
    assert sorted(store.load("s").tool_names) == [str(number) for number in range(count)]


@pytest.mark.slow
def test_the_trace_events_of_all_concurrent_writers_are_kept(site: Site, server: str) -> None:
    store = site.store()
    names = [str(number) for number in range(SEVERAL[server])]
    calls = [
        lambda name=name: store.append_trace_events("s", [event(name)], attempts=MANY_ATTEMPTS)
        for name in names
    ]
    assert errors_in(at_once(calls)) == []
    assert sorted(each.name for each in store.load_trace_events("s")) == names


def save_before_each_put(site: Site, times: int | None) -> None:
    """Before each PUT reaches the server, someone else saves the session."""
    names = iter(range(1000))

    def save() -> None:
        name = f"other {next(names)}"
        site.someone_else().update("s", lambda session: session.tool_names.append(name))

    site.proxy.on(requests("PUT", "s.json"), before(save, pass_on), times=times)


@pytest.mark.slow
def test_each_attempt_of_an_update_gets_the_current_session(site: Site) -> None:
    store = site.store()
    store.save(SessionData(id="s"))
    save_before_each_put(site, times=3)
    contents: list[list[str]] = []

    def change(session: SessionData) -> None:
        contents.append(list(session.tool_names))
        session.tool_names.append("ours")

    store.update("s", change)
    assert contents == [[f"other {number}" for number in range(count)] for count in range(4)]
    assert site.someone_else().load("s").tool_names == ["other 0", "other 1", "other 2", "ours"]


@pytest.mark.parametrize("attempts", [1, 4])
def test_an_update_whose_attempts_all_conflict_reports_their_number_and_writes_nothing(
    site: Site, attempts: int
) -> None:
    store = site.store()
    store.save(SessionData(id="s"))
    site.proxy.reset()
    save_before_each_put(site, times=None)
    with pytest.raises(SessionConflictError) as caught:
        store.update("s", lambda session: session.tool_names.append("ours"), attempts=attempts)
    assert caught.value.attempts == attempts
    assert caught.value.outcome == "not written"
    assert attempts == 1 or f"{attempts} attempts" in str(caught.value)
    assert site.proxy.count("PUT") == attempts
    assert "ours" not in site.someone_else().load("s").tool_names


def test_an_append_whose_attempts_all_conflict_reports_their_number_and_writes_nothing(site: Site) -> None:
    store = site.store()
    others = site.someone_else()
    site.proxy.on(
        requests("PUT", "traces/s.json"),
        before(lambda: others.append_trace_events("s", [event("other")]), pass_on),
        times=None,
    )
    with pytest.raises(SessionConflictError) as caught:
        store.append_trace_events("s", [event("ours")], attempts=3)
    assert caught.value.attempts == 3
    assert caught.value.outcome == "not written"
    assert [each.name for each in others.load_trace_events("s")] == ["other"] * 3


def test_an_update_without_a_change_writes_nothing(site: Site) -> None:
    store = site.store()
    store.save(SessionData(id="s"))
    site.proxy.reset()
    store.update("s", lambda session: None)
    assert [request.method for request in site.proxy.recorded] == ["GET"]
