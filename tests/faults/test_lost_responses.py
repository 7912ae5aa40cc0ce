"""A conditional PUT whose response was lost is not a conflict, and its outcome is never guessed."""

from __future__ import annotations

from typing import Any

import pytest

from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import (
    act_and_respond,
    before,
    drop_request,
    drop_response,
    drop_response_after,
    rename_response_headers,
    respond,
)
from sessionbucket import SessionConflictError, SessionData, StoreUnavailableError
from sessionbucket._core.write_ids import HISTORY_LENGTH
from sessionbucket.models import TraceEvent

KEY = "s.json"
PUT = requests("PUT", KEY)
HEAD = requests("HEAD", KEY)


@pytest.fixture
def store(site: Site) -> Any:
    return site.store()


@pytest.fixture
def stored(site: Site, store: Any) -> SessionData:
    """A session that was saved through the proxy before any fault."""
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    site.proxy.reset()
    return session


def others_append(site: Site, *names: str) -> None:
    """Someone else saves the session again, once for each name."""
    session = site.someone_else().load("s")
    for name in names:
        session.tool_names.append(name)
        site.someone_else().save(session)


def names_in(site: Site) -> list[str]:
    return list(site.someone_else().load("s").tool_names)


def test_a_create_whose_response_is_lost_succeeds(site: Site, store: Any) -> None:
    site.proxy.on(PUT, drop_response)
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    assert site.proxy.count("PUT", KEY) == 1
    assert site.proxy.count("HEAD", KEY) == 1
    assert names_in(site) == ["first"]
    session.tool_names.append("second")
    store.save(session)  # the first save recorded its version
    assert names_in(site) == ["first", "second"]


def test_a_save_whose_response_is_lost_succeeds(site: Site, store: Any, stored: SessionData) -> None:
    site.proxy.on(PUT, drop_response)
    stored.tool_names.append("second")
    store.save(stored)
    assert site.proxy.count("PUT", KEY) == 1
    assert names_in(site) == ["first", "second"]
    stored.tool_names.append("third")
    store.save(stored)
    assert names_in(site) == ["first", "second", "third"]


def test_a_save_succeeds_after_several_lost_responses_in_a_row(
    site: Site, store: Any, stored: SessionData
) -> None:
    site.proxy.on(PUT, drop_request, times=2)
    site.proxy.on(HEAD, drop_response, times=2)
    site.proxy.on(PUT, drop_response, times=1)
    stored.tool_names.append("second")
    store.save(stored)
    assert site.proxy.count("PUT", KEY) == 3
    assert names_in(site) == ["first", "second"]


def test_a_save_whose_retry_conflicts_with_its_first_request_succeeds(
    site: Site, store: Any, stored: SessionData
) -> None:
    """The HEAD between the two requests fails, so the second PUT gets 412 because of the first."""
    site.proxy.on(PUT, drop_response)
    site.proxy.on(HEAD, respond(503, "SlowDown"), times=1)
    stored.tool_names.append("second")
    store.save(stored)
    statuses = [request.status for request in site.proxy.recorded if PUT(request)]
    assert statuses == [None, 412]
    assert names_in(site) == ["first", "second"]


def test_a_save_that_was_done_despite_a_500_succeeds(site: Site, store: Any, stored: SessionData) -> None:
    site.proxy.on(PUT, act_and_respond(500, "InternalError"))
    stored.tool_names.append("second")
    store.save(stored)
    assert site.proxy.count("PUT", KEY) == 1
    assert names_in(site) == ["first", "second"]


@pytest.mark.parametrize("newer_writes", [1, HISTORY_LENGTH - 1])
def test_a_save_without_response_that_others_built_upon_succeeds_and_the_next_save_conflicts(
    site: Site, store: Any, stored: SessionData, newer_writes: int
) -> None:
    others = [f"other {number}" for number in range(newer_writes)]
    site.proxy.on(PUT, drop_response_after(lambda: others_append(site, *others)))
    stored.tool_names.append("second")
    store.save(stored)
    assert names_in(site) == ["first", "second", *others]
    stored.tool_names.append("third")
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == "not written"
    assert names_in(site) == ["first", "second", *others]


def test_a_create_without_response_that_others_built_upon_succeeds(site: Site, store: Any) -> None:
    site.proxy.on(PUT, drop_response_after(lambda: others_append(site, "other")))
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    assert names_in(site) == ["first", "other"]
    with pytest.raises(SessionConflictError):
        store.save(session)


def test_a_save_without_response_is_unknown_after_more_newer_writes_than_the_history_holds(
    site: Site, store: Any, stored: SessionData
) -> None:
    others = [f"other {number}" for number in range(HISTORY_LENGTH)]
    site.proxy.on(PUT, drop_response_after(lambda: others_append(site, *others)))
    stored.tool_names.append("second")
    with pytest.raises(SessionConflictError, match="may or may not have been done") as caught:
        store.save(stored)
    assert caught.value.outcome == "unknown"
    assert "nothing was written" not in str(caught.value)


def test_a_save_without_response_is_unknown_after_a_delete(
    site: Site, store: Any, stored: SessionData
) -> None:
    other = site.someone_else()
    site.proxy.on(PUT, drop_response_after(lambda: other.delete("s")))
    stored.tool_names.append("second")
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == "unknown"
    assert not other.exists("s")


def test_a_save_without_response_succeeds_when_an_overwrite_has_replaced_it(
    site: Site, store: Any, stored: SessionData
) -> None:
    other = site.someone_else()
    site.proxy.on(PUT, drop_response_after(lambda: other.save(SessionData(id="s"), overwrite=True)))
    stored.tool_names.append("second")
    store.save(stored)
    assert not other.load("s").tool_names
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == "not written"


def test_a_save_whose_request_is_lost_is_sent_again_and_stored_once(
    site: Site, store: Any, stored: SessionData
) -> None:
    site.proxy.on(PUT, drop_request)
    stored.tool_names.append("second")
    store.save(stored)
    sent = [request.headers["x-amz-meta-writes"] for request in site.proxy.recorded if PUT(request)]
    assert len(sent) == 2
    assert len(set(sent)) == 1  # the same write id
    assert names_in(site) == ["first", "second"]


def test_a_create_whose_request_is_lost_is_sent_again(site: Site, store: Any) -> None:
    site.proxy.on(PUT, drop_request)
    store.save(SessionData(id="s", tool_names=["first"]))
    assert site.proxy.count("PUT", KEY) == 2
    assert names_in(site) == ["first"]


def test_a_save_whose_every_request_is_lost_is_unknown(site: Site, store: Any, stored: SessionData) -> None:
    """Each request may still be under way, so "not written" would be a guess."""
    site.proxy.on(PUT, drop_request, times=None)
    stored.tool_names.append("second")
    with pytest.raises(StoreUnavailableError, match="may or may not have been done") as caught:
        store.save(stored)
    assert caught.value.outcome == "unknown"
    assert site.proxy.count("PUT", KEY) == 5
    assert names_in(site) == ["first"]


def test_a_conflict_whose_response_is_lost_is_a_conflict(site: Site, store: Any, stored: SessionData) -> None:
    others_append(site, "other")
    site.proxy.on(PUT, drop_response)
    stored.tool_names.append("second")
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == "not written"
    assert names_in(site) == ["first", "other"]


def test_a_create_of_an_existing_session_whose_response_is_lost_is_a_conflict(site: Site, store: Any) -> None:
    """The object may be older than our write, or newer than a delete of it. The history does not distinguish them."""
    site.someone_else().save(SessionData(id="s", tool_names=["other"]))
    site.proxy.on(PUT, drop_response)
    with pytest.raises(SessionConflictError) as caught:
        store.save(SessionData(id="s", tool_names=["first"]))
    assert caught.value.outcome == "unknown"
    assert names_in(site) == ["other"]


def test_one_of_two_creates_with_equal_bytes_succeeds(site: Site, store: Any) -> None:
    first = SessionData(id="s", created_at=1)
    second = SessionData(id="s", created_at=1)
    store.save(first)
    with pytest.raises(SessionConflictError) as caught:
        store.save(second)
    assert caught.value.outcome == "not written"


@pytest.mark.parametrize("lost", [False, True])
def test_one_of_two_saves_with_equal_bytes_succeeds(
    site: Site, store: Any, stored: SessionData, lost: bool
) -> None:
    """Both have the same ETag, which is a hash of the bytes, but different write histories."""
    stored.tool_names.append("same")
    if lost:
        site.proxy.on(PUT, before(lambda: others_append(site, "same"), drop_response))
    else:
        others_append(site, "same")
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == "not written"
    assert names_in(site) == ["first", "same"]


@pytest.mark.parametrize("lost", [False, True])
def test_a_deleted_session_does_not_come_back(
    site: Site, store: Any, stored: SessionData, lost: bool
) -> None:
    site.someone_else().delete("s")
    if lost:
        site.proxy.on(PUT, drop_response)
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == ("unknown" if lost else "not written")
    assert site.keys() == []


def without_metadata(name: str) -> str | None:
    return None if name.lower().startswith("x-amz-meta-") else name


@pytest.mark.parametrize("new", [True, False])
def test_without_metadata_a_save_without_response_is_unknown(site: Site, store: Any, new: bool) -> None:
    site.proxy.on(requests("GET"), rename_response_headers(without_metadata), times=None)
    site.proxy.on(HEAD, rename_response_headers(without_metadata), times=None)
    session = SessionData(id="s", tool_names=["first"])
    if not new:
        site.someone_else().save(session)
        session = store.load("s")
    site.proxy.on(PUT, drop_response)
    session.tool_names.append("second")
    with pytest.raises(SessionConflictError) as caught:
        store.save(session)
    assert caught.value.outcome == "unknown"


def test_without_metadata_a_lost_request_is_sent_again(site: Site, store: Any) -> None:
    """The ETag proves that the object is unchanged."""
    site.proxy.on(requests("GET"), rename_response_headers(without_metadata), times=None)
    site.proxy.on(HEAD, rename_response_headers(without_metadata), times=None)
    site.someone_else().save(SessionData(id="s", tool_names=["first"]))
    session = store.load("s")
    site.proxy.on(PUT, drop_request)
    session.tool_names.append("second")
    store.save(session)
    assert names_in(site) == ["first", "second"]


@pytest.mark.parametrize("spelling", ["X-AMZ-META-WRITES", "x-amz-meta-Writes"])
def test_a_write_history_is_found_under_a_metadata_name_in_another_case(
    site: Site, store: Any, stored: SessionData, spelling: str
) -> None:
    site.proxy.on(
        HEAD, rename_response_headers(lambda name: spelling if name.lower() == "x-amz-meta-writes" else name)
    )
    site.proxy.on(PUT, drop_response)
    stored.tool_names.append("second")
    store.save(stored)
    assert names_in(site) == ["first", "second"]


def test_an_overwrite_whose_response_is_lost_is_sent_again(site: Site, store: Any) -> None:
    others = SessionData(id="s", tool_names=["other"])
    site.someone_else().save(others)
    site.proxy.on(PUT, drop_response)
    session = SessionData(id="s", tool_names=["first"])
    store.save(session, overwrite=True)
    assert names_in(site) == ["first"]
    store.save(session)


def test_an_update_whose_responses_are_lost_applies_its_change_once(
    site: Site, store: Any, stored: SessionData
) -> None:
    site.proxy.on(requests(None, KEY), drop_response, nth=1)
    site.proxy.on(PUT, drop_response, times=2)
    store.update("s", lambda session: session.tool_names.append("second"))
    assert names_in(site) == ["first", "second"]


def test_an_update_ends_at_an_unknown_outcome(site: Site, store: Any, stored: SessionData) -> None:
    others = [f"other {number}" for number in range(HISTORY_LENGTH)]
    site.proxy.on(PUT, drop_response_after(lambda: others_append(site, *others)))
    with pytest.raises(SessionConflictError) as caught:
        store.update("s", lambda session: session.tool_names.append("second"))
    assert caught.value.outcome == "unknown"
    assert names_in(site).count("second") == 1


def test_trace_events_are_appended_once_when_the_response_is_lost(site: Site, store: Any) -> None:
    def event(name: str) -> TraceEvent:
        return TraceEvent.tool_execution(name, success=True, exit_code=0, duration=0.0, output_bytes=0)

    for name in ("first", "second"):
        site.proxy.on(requests("PUT", "traces/s.json"), drop_response)
        store.append_trace_events("s", [event(name)])
    assert [event.name for event in store.load_trace_events("s")] == ["first", "second"]
    assert site.proxy.count("PUT", "traces/s.json") == 2


def test_a_delete_whose_every_response_is_lost_is_unknown(
    site: Site, store: Any, stored: SessionData
) -> None:
    for method in ("DELETE", "POST"):
        site.proxy.on(requests(method), drop_response, times=None)
    with pytest.raises(StoreUnavailableError, match="may or may not have been done") as caught:
        store.delete("s")
    assert caught.value.outcome == "unknown"


def test_a_failed_delete_of_a_file_reports_whether_it_may_have_been_done(
    site: Site, store: Any, stored: SessionData
) -> None:
    store.put_file("s", "x", b"x")
    site.proxy.on(requests("DELETE"), drop_response)
    site.proxy.on(requests("DELETE"), respond(409, "ConditionalRequestConflict"), times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        site.store(max_attempts=2).delete_file("s", "x")
    assert caught.value.outcome == "unknown"
    store.put_file("s", "x", b"x")
    with pytest.raises(StoreUnavailableError) as caught:
        site.store(max_attempts=2).delete_file("s", "x")
    assert caught.value.outcome == "not written"


def test_a_delete_whose_response_is_lost_succeeds_where_it_is_conditional_and_is_unknown_elsewhere(
    site: Site, store: Any, stored: SessionData
) -> None:
    site.proxy.on(requests("DELETE"), drop_response)
    site.proxy.on(requests("POST"), drop_response)
    if store.bucket.capabilities.conditional_deletes == "off":
        with pytest.raises(StoreUnavailableError) as caught:
            store.delete("s")
        assert caught.value.outcome == "unknown"
    else:
        store.delete("s")
    assert site.keys() == []
