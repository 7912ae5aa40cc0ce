"""A conditional PUT that was done, and whose answer was lost, is no conflict; and nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from faults.conftest import Site
from faults.misfortunes import (
    act_and_answer,
    answer,
    before,
    drop_answer,
    drop_answer_after,
    drop_request,
    rename_answers,
)
from faults.proxy import requests
from sessionbucket import SessionConflictError, SessionData, StoreUnavailableError, TraceEvent
from sessionbucket._core.write_ids import LENGTH

KEY = "s.json"
PUT = requests("PUT", KEY)
HEAD = requests("HEAD", KEY)


@pytest.fixture
def store(site: Site) -> Any:
    return site.store()


@pytest.fixture
def stored(site: Site, store: Any) -> SessionData:
    """A session that was saved through the proxy, before any fault."""
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    site.proxy.reset()
    return session


def others_append(site: Site, *names: str) -> None:
    """Someone else saves on top of what is there, once for each name."""
    session = site.someone_else().load("s")
    for name in names:
        session.tool_names.append(name)
        site.someone_else().save(session)


def names_in(site: Site) -> list[str]:
    return list(site.someone_else().load("s").tool_names)


def test_a_create_whose_answer_is_lost_succeeds(site: Site, store: Any) -> None:
    site.proxy.on(PUT, drop_answer)
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    assert site.proxy.count("PUT", KEY) == 1
    assert site.proxy.count("HEAD", KEY) == 1
    assert names_in(site) == ["first"]
    session.tool_names.append("second")
    store.save(session)  # it knows which version it became
    assert names_in(site) == ["first", "second"]


def test_an_update_whose_answer_is_lost_succeeds(site: Site, store: Any, stored: SessionData) -> None:
    site.proxy.on(PUT, drop_answer)
    stored.tool_names.append("second")
    store.save(stored)
    assert site.proxy.count("PUT", KEY) == 1
    assert names_in(site) == ["first", "second"]
    stored.tool_names.append("third")
    store.save(stored)
    assert names_in(site) == ["first", "second", "third"]


def test_a_save_succeeds_when_answers_are_lost_several_times_in_a_row(
    site: Site, store: Any, stored: SessionData
) -> None:
    site.proxy.on(PUT, drop_request, times=2)
    site.proxy.on(HEAD, drop_answer, times=2)
    site.proxy.on(PUT, drop_answer, times=1)
    stored.tool_names.append("second")
    store.save(stored)
    assert site.proxy.count("PUT", KEY) == 3
    assert names_in(site) == ["first", "second"]


def test_a_save_that_meets_itself_on_the_second_try_succeeds(
    site: Site, store: Any, stored: SessionData
) -> None:
    """The HEAD between the two requests fails, so the second PUT is answered 412 for the first one's sake."""
    site.proxy.on(PUT, drop_answer)
    site.proxy.on(HEAD, answer(503, "SlowDown"), times=1)
    stored.tool_names.append("second")
    store.save(stored)
    statuses = [seen.status for seen in site.proxy.seen if PUT(seen)]
    assert statuses == [None, 412]
    assert names_in(site) == ["first", "second"]


def test_a_save_that_was_done_but_answered_500_succeeds(site: Site, store: Any, stored: SessionData) -> None:
    site.proxy.on(PUT, act_and_answer(500, "InternalError"))
    stored.tool_names.append("second")
    store.save(stored)
    assert site.proxy.count("PUT", KEY) == 1
    assert names_in(site) == ["first", "second"]


@pytest.mark.parametrize("passed", [1, LENGTH - 1])
def test_a_lost_save_that_others_built_upon_succeeds_and_the_next_one_conflicts(
    site: Site, store: Any, stored: SessionData, passed: int
) -> None:
    others = [f"other {number}" for number in range(passed)]
    site.proxy.on(PUT, drop_answer_after(lambda: others_append(site, *others)))
    stored.tool_names.append("second")
    store.save(stored)
    assert names_in(site) == ["first", "second", *others]
    stored.tool_names.append("third")
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == "not written"
    assert names_in(site) == ["first", "second", *others]


def test_a_lost_create_that_others_built_upon_succeeds(site: Site, store: Any) -> None:
    site.proxy.on(PUT, drop_answer_after(lambda: others_append(site, "other")))
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    assert names_in(site) == ["first", "other"]
    with pytest.raises(SessionConflictError):
        store.save(session)


def test_a_lost_save_is_unknown_when_more_writers_passed_than_the_chain_remembers(
    site: Site, store: Any, stored: SessionData
) -> None:
    others = [f"other {number}" for number in range(LENGTH)]
    site.proxy.on(PUT, drop_answer_after(lambda: others_append(site, *others)))
    stored.tool_names.append("second")
    with pytest.raises(SessionConflictError, match="not known") as caught:
        store.save(stored)
    assert caught.value.outcome == "unknown"
    assert "nothing was written" not in str(caught.value)


@pytest.mark.parametrize("fate", ["overwritten", "deleted"])
def test_a_lost_save_is_unknown_when_the_object_was_overwritten_or_deleted_since(
    site: Site, store: Any, stored: SessionData, fate: str
) -> None:
    other = site.someone_else()
    then = (
        (lambda: other.save(SessionData(id="s"), overwrite=True))
        if fate == "overwritten"
        else (lambda: other.delete("s"))
    )
    site.proxy.on(PUT, drop_answer_after(then))
    stored.tool_names.append("second")
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == "unknown"
    assert other.exists("s") == (fate == "overwritten")


def test_a_save_that_is_lost_before_the_server_saw_it_is_sent_again_and_stored_once(
    site: Site, store: Any, stored: SessionData
) -> None:
    site.proxy.on(PUT, drop_request)
    stored.tool_names.append("second")
    store.save(stored)
    sent = [seen.headers["x-amz-meta-writes"] for seen in site.proxy.seen if PUT(seen)]
    assert len(sent) == 2
    assert len(set(sent)) == 1  # the same write, with the same id
    assert names_in(site) == ["first", "second"]


def test_a_create_that_is_lost_before_the_server_saw_it_is_sent_again(site: Site, store: Any) -> None:
    site.proxy.on(PUT, drop_request)
    store.save(SessionData(id="s", tool_names=["first"]))
    assert site.proxy.count("PUT", KEY) == 2
    assert names_in(site) == ["first"]


def test_a_save_that_never_gets_through_is_unknown_and_says_so(
    site: Site, store: Any, stored: SessionData
) -> None:
    """Each request may still be under way, so "not written" would be a guess."""
    site.proxy.on(PUT, drop_request, times=None)
    stored.tool_names.append("second")
    with pytest.raises(StoreUnavailableError, match="not known") as caught:
        store.save(stored)
    assert caught.value.outcome == "unknown"
    assert site.proxy.count("PUT", KEY) == 5
    assert names_in(site) == ["first"]


def test_a_real_conflict_whose_answer_is_lost_is_a_conflict(
    site: Site, store: Any, stored: SessionData
) -> None:
    others_append(site, "other")
    site.proxy.on(PUT, drop_answer)
    stored.tool_names.append("second")
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == "not written"
    assert names_in(site) == ["first", "other"]


def test_a_create_that_met_another_and_whose_answer_is_lost_is_a_conflict(site: Site, store: Any) -> None:
    """What stands there may be what stood there before, or what came after ours was deleted: nothing tells."""
    site.someone_else().save(SessionData(id="s", tool_names=["other"]))
    site.proxy.on(PUT, drop_answer)
    with pytest.raises(SessionConflictError) as caught:
        store.save(SessionData(id="s", tool_names=["first"]))
    assert caught.value.outcome == "unknown"
    assert names_in(site) == ["other"]


def test_of_two_who_create_with_the_very_same_bytes_one_wins(site: Site, store: Any) -> None:
    first = SessionData(id="s", created_at=1)
    second = SessionData(id="s", created_at=1)
    store.save(first)
    with pytest.raises(SessionConflictError) as caught:
        store.save(second)
    assert caught.value.outcome == "not written"


@pytest.mark.parametrize("lost", [False, True])
def test_of_two_who_update_with_the_very_same_bytes_one_wins(
    site: Site, store: Any, stored: SessionData, lost: bool
) -> None:
    """The ETag is a hash of the bytes and can't tell the two apart; the chain can."""
    stored.tool_names.append("same")
    if lost:
        site.proxy.on(PUT, before(lambda: others_append(site, "same"), drop_answer))
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
        site.proxy.on(PUT, drop_answer)
    with pytest.raises(SessionConflictError) as caught:
        store.save(stored)
    assert caught.value.outcome == ("unknown" if lost else "not written")
    assert site.keys() == []


def without_metadata(name: str) -> str | None:
    return None if name.lower().startswith("x-amz-meta-") else name


@pytest.mark.parametrize("new", [True, False])
def test_without_metadata_no_lost_save_is_called_a_success(site: Site, store: Any, new: bool) -> None:
    site.proxy.on(requests("GET"), rename_answers(without_metadata), times=None)
    site.proxy.on(HEAD, rename_answers(without_metadata), times=None)
    session = SessionData(id="s", tool_names=["first"])
    if not new:
        site.someone_else().save(session)
        session = store.load("s")
    site.proxy.on(PUT, drop_answer)
    session.tool_names.append("second")
    with pytest.raises(SessionConflictError) as caught:
        store.save(session)
    assert caught.value.outcome == "unknown"


def test_without_metadata_a_request_that_was_lost_is_sent_again(site: Site, store: Any) -> None:
    """The ETag tells that nothing has changed yet."""
    site.proxy.on(requests("GET"), rename_answers(without_metadata), times=None)
    site.proxy.on(HEAD, rename_answers(without_metadata), times=None)
    site.someone_else().save(SessionData(id="s", tool_names=["first"]))
    session = store.load("s")
    site.proxy.on(PUT, drop_request)
    session.tool_names.append("second")
    store.save(session)
    assert names_in(site) == ["first", "second"]


@pytest.mark.parametrize("spelling", ["X-AMZ-META-WRITES", "x-amz-meta-Writes"])
def test_a_server_that_changes_the_case_of_metadata_names_is_understood(
    site: Site, store: Any, stored: SessionData, spelling: str
) -> None:
    site.proxy.on(
        HEAD, rename_answers(lambda name: spelling if name.lower() == "x-amz-meta-writes" else name)
    )
    site.proxy.on(PUT, drop_answer)
    stored.tool_names.append("second")
    store.save(stored)
    assert names_in(site) == ["first", "second"]


def test_a_lost_overwrite_is_sent_again(site: Site, store: Any) -> None:
    others = SessionData(id="s", tool_names=["other"])
    site.someone_else().save(others)
    site.proxy.on(PUT, drop_answer)
    session = SessionData(id="s", tool_names=["first"])
    store.save(session, overwrite=True)
    assert names_in(site) == ["first"]
    store.save(session)


def test_an_update_whose_answers_are_lost_applies_its_change_once(
    site: Site, store: Any, stored: SessionData
) -> None:
    site.proxy.on(requests(None, KEY), drop_answer, nth=1)
    site.proxy.on(PUT, drop_answer, times=2)
    store.update("s", lambda session: session.tool_names.append("second"))
    assert names_in(site) == ["first", "second"]


def test_an_update_stops_at_an_unknown_outcome(site: Site, store: Any, stored: SessionData) -> None:
    others = [f"other {number}" for number in range(LENGTH)]
    site.proxy.on(PUT, drop_answer_after(lambda: others_append(site, *others)))
    with pytest.raises(SessionConflictError) as caught:
        store.update("s", lambda session: session.tool_names.append("second"))
    assert caught.value.outcome == "unknown"
    assert names_in(site).count("second") == 1


def test_trace_events_whose_answer_is_lost_are_appended_once(site: Site, store: Any) -> None:
    def event(name: str) -> TraceEvent:
        return TraceEvent.tool_execution(name, success=True, exit_code=0, duration=0.0, output_bytes=0)

    for name in ("first", "second"):
        site.proxy.on(requests("PUT", "traces/s.json"), drop_answer)
        store.append_trace_events("s", [event(name)])
    assert [event.name for event in store.load_trace_events("s")] == ["first", "second"]
    assert site.proxy.count("PUT", "traces/s.json") == 2


def test_a_delete_whose_every_answer_is_lost_is_unknown(site: Site, store: Any, stored: SessionData) -> None:
    for method in ("DELETE", "POST"):
        site.proxy.on(requests(method), drop_answer, times=None)
    with pytest.raises(StoreUnavailableError, match="not known") as caught:
        store.delete("s")
    assert caught.value.outcome == "unknown"


def test_a_delete_of_one_object_says_whether_it_may_have_been_done(
    site: Site, store: Any, stored: SessionData
) -> None:
    store.put_file("s", "x", b"x")
    site.proxy.on(requests("DELETE"), drop_answer)
    site.proxy.on(requests("DELETE"), answer(409, "ConditionalRequestConflict"), times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        site.store(max_attempts=2).delete_file("s", "x")
    assert caught.value.outcome == "unknown"
    store.put_file("s", "x", b"x")
    with pytest.raises(StoreUnavailableError) as caught:
        site.store(max_attempts=2).delete_file("s", "x")
    assert caught.value.outcome == "not written"


def test_a_delete_whose_answer_is_lost_is_done(site: Site, store: Any, stored: SessionData) -> None:
    site.proxy.on(requests("DELETE"), drop_answer)
    site.proxy.on(requests("POST"), drop_answer)
    store.delete("s")
    assert site.keys() == []
