"""Many writers share one session through ``update``: all get in, soon, and none on top of what it has not seen."""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from faults.conftest import Site
from faults.misfortunes import before, pass_on
from faults.proxy import requests
from faults.sides import at_once, errors_in
from sessionbucket import SessionConflictError, SessionData, TraceEvent

WRITERS = {"moto": 32, "seaweed": 4}
MANY = 30
"""More attempts than any writer needs."""


def event(name: str) -> TraceEvent:
    return TraceEvent.tool_execution(name, success=True, exit_code=0, duration=0.0, output_bytes=0)


def test_all_writers_of_one_session_get_in_with_few_requests_each(site: Site, server: str) -> None:
    store = site.store()
    store.save(SessionData(id="s"))
    site.proxy.reset()
    tries = dict.fromkeys(range(WRITERS[server]), 0)

    def writer(number: int) -> Any:
        def change(session: SessionData) -> None:
            tries[number] += 1
            session.tool_names.append(str(number))

        return lambda: store.update("s", change)

    assert errors_in(at_once([writer(number) for number in tries])) == []
    assert sorted(store.load("s").tool_names, key=int) == [str(number) for number in tries]
    # Each try is one GET and one PUT, as the proxy has seen; so the tries tell each writer's requests.
    assert site.proxy.count("PUT") == sum(tries.values())
    assert site.proxy.count("GET") == sum(tries.values()) + 1
    assert len(site.proxy.seen) == 2 * sum(tries.values()) + 1
    assert statistics.median(2 * count for count in tries.values()) < 6


def test_writers_who_create_a_session_together_all_get_in(site: Site, server: str) -> None:
    store = site.store()

    def writer(number: int) -> Any:
        return lambda: store.update(
            "s",
            lambda session: session.tool_names.append(str(number)),
            create=lambda: SessionData(id="s"),
            attempts=MANY,
        )

    count = min(8, WRITERS[server])
    assert errors_in(at_once([writer(number) for number in range(count)])) == []
    assert sorted(store.load("s").tool_names) == [str(number) for number in range(count)]


def test_all_trace_events_of_many_writers_are_kept(site: Site, server: str) -> None:
    store = site.store()
    names = [str(number) for number in range(min(8, WRITERS[server]))]
    calls = [lambda name=name: store.append_trace_events("s", [event(name)], attempts=MANY) for name in names]
    assert errors_in(at_once(calls)) == []
    assert sorted(each.name for each in store.load_trace_events("s")) == names


def others_go_first(site: Site, times: int | None) -> None:
    """Before each PUT of ours reaches the server, someone else saves."""
    names = iter(range(1000))

    def save() -> None:
        name = f"other {next(names)}"
        site.someone_else().update("s", lambda session: session.tool_names.append(name))

    site.proxy.on(requests("PUT", "s.json"), before(save, pass_on), times=times)


def test_a_change_sees_only_fresh_sessions(site: Site) -> None:
    store = site.store()
    store.save(SessionData(id="s"))
    others_go_first(site, times=3)
    seen: list[list[str]] = []

    def change(session: SessionData) -> None:
        seen.append(list(session.tool_names))
        session.tool_names.append("ours")

    store.update("s", change)
    assert seen == [[f"other {number}" for number in range(count)] for count in range(4)]
    assert site.someone_else().load("s").tool_names == ["other 0", "other 1", "other 2", "ours"]


@pytest.mark.parametrize("attempts", [1, 4])
def test_an_update_that_never_gets_in_ends_with_the_count_and_writes_nothing(
    site: Site, attempts: int
) -> None:
    store = site.store()
    store.save(SessionData(id="s"))
    site.proxy.reset()
    others_go_first(site, times=None)
    with pytest.raises(SessionConflictError) as caught:
        store.update("s", lambda session: session.tool_names.append("ours"), attempts=attempts)
    assert caught.value.attempts == attempts
    assert caught.value.outcome == "not written"
    assert attempts == 1 or f"after {attempts} attempts" in str(caught.value)
    assert site.proxy.count("PUT") == attempts
    assert "ours" not in site.someone_else().load("s").tool_names


def test_an_append_that_never_gets_in_ends_with_the_count_and_writes_nothing(site: Site) -> None:
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


def test_a_change_that_changes_nothing_writes_nothing(site: Site) -> None:
    store = site.store()
    store.save(SessionData(id="s"))
    site.proxy.reset()
    store.update("s", lambda session: None)
    assert [seen.method for seen in site.proxy.seen] == ["GET"]
