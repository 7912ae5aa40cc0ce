"""Requests that reach the server late, and clients that repeat requests by themselves."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from botocore.config import Config

from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import DeliverLate, before, drop_response, pass_on
from sessionbucket import SessionConflictError, SessionData, StoreUnavailableError

PUT = requests("PUT", "s.json")


def test_a_request_that_arrives_after_its_retry_changes_nothing(site: Site) -> None:
    store = site.store()
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    late = DeliverLate()
    site.proxy.on(PUT, late)
    session.tool_names.append("second")
    store.save(session)
    session.tool_names.append("third")
    store.save(session)
    late.release()
    site.proxy.settle()
    assert [response.status for response in late.responses] == [412]
    assert site.someone_else().load("s").tool_names == ["first", "second", "third"]


def test_a_save_reported_as_not_written_stays_unwritten_when_its_request_arrives_late(site: Site) -> None:
    store = site.store()
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    late = DeliverLate()

    def others_append() -> None:
        site.someone_else().update("s", lambda session: session.tool_names.append("other"))

    site.proxy.on(PUT, before(others_append, late))
    session.tool_names.append("second")
    with pytest.raises(SessionConflictError) as caught:
        store.save(session)
    assert caught.value.outcome == "not written"
    late.release()
    site.proxy.settle()
    assert [response.status for response in late.responses] == [412]
    assert site.someone_else().load("s").tool_names == ["first", "other"]


def test_a_late_overwrite_reverts_no_later_save(site: Site) -> None:
    store = site.store()
    other = site.someone_else()
    other.save(SessionData(id="s", tool_names=["first"]))
    late = DeliverLate()
    site.proxy.on(PUT, late)
    store.save(SessionData(id="s", tool_names=["overwritten"]), overwrite=True)
    other.update("s", lambda session: session.tool_names.append("later"))
    late.release()
    site.proxy.settle()
    assert [response.status for response in late.responses] == [412]
    assert other.load("s").tool_names == ["overwritten", "later"]


def test_an_overwrite_starts_over_when_another_writer_was_faster(site: Site) -> None:
    store = site.store()
    other = site.someone_else()
    other.save(SessionData(id="s"))
    site.proxy.on(
        PUT, before(lambda: other.update("s", lambda session: session.tool_names.append("x")), pass_on)
    )
    store.save(SessionData(id="s", tool_names=["overwritten"]), overwrite=True)
    assert other.load("s").tool_names == ["overwritten"]
    sent = [request.method for request in site.proxy.recorded]
    assert sent == ["HEAD", "PUT", "HEAD", "PUT"]


def test_an_overwrite_of_a_missing_session_creates_it_on_a_condition(site: Site) -> None:
    site.store().save(SessionData(id="s"), overwrite=True)
    (put,) = (request for request in site.proxy.recorded if PUT(request))
    assert put.headers["If-None-Match"] == "*"


def test_a_late_delete_removes_no_later_session(site: Site) -> None:
    store = site.store()
    other = site.someone_else()
    other.save(SessionData(id="s", tool_names=["first"]))
    late = DeliverLate()
    site.proxy.on(requests("DELETE", "s.json"), late)
    if store.bucket.capabilities.conditional_deletes == "off":  # obstore
        with pytest.raises(StoreUnavailableError) as caught:
            store.delete("s")
        assert caught.value.outcome == "unknown"
        assert site.proxy.count("DELETE") + site.proxy.count("POST") <= 2  # not repeated
        late.release()
        return
    store.delete("s")
    assert not other.exists("s")
    other.save(SessionData(id="s", tool_names=["second"]))
    late.release()
    site.proxy.settle()
    assert len(late.responses) == 1
    assert other.load("s").tool_names == ["second"]


@pytest.mark.parametrize("s3_side", ["sync"], indirect=True)
def test_an_engine_without_conditional_deletes_does_not_decide_for_another(
    new_bucket: Site, sides: dict[str, Any]
) -> None:
    without = dataclasses.replace(new_bucket, side=sides["sync obstore"])
    assert not without.store().probe_conditional_writes().deletes
    assert new_bucket.store().probe_conditional_writes().deletes


def test_a_delete_starts_over_when_another_writer_saved_in_between(site: Site) -> None:
    store = site.store()
    if store.bucket.capabilities.conditional_deletes == "off":
        pytest.skip("obstore deletes without conditions")
    other = site.someone_else()
    other.save(SessionData(id="s"))
    deletes = requests("DELETE", "s.json")
    site.proxy.on(
        deletes, before(lambda: other.update("s", lambda session: session.tool_names.append("x")), pass_on)
    )
    store.delete("s")
    assert not other.exists("s")
    assert sum(deletes(request) for request in site.proxy.recorded) == 2


def test_the_client_does_not_repeat_a_request_when_a_kept_alive_connection_breaks(site: Site) -> None:
    """By default aiohttp silently repeats idempotent requests on such a connection, PUT among them."""
    store = site.store()
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    assert store.exists("s")  # the connection is kept alive from now on
    site.proxy.reset()
    site.proxy.on(PUT, drop_response)
    session.tool_names.append("second")
    store.save(session)
    assert [request.method for request in site.proxy.recorded] == ["PUT", "HEAD"]


@pytest.mark.parametrize("retries", [1, 4])
def test_a_lost_response_to_the_callers_own_client_is_not_a_conflict(site: Site, retries: int) -> None:
    """Such a client has its own retries, and aiohttp's silent one. A retry then conflicts with the write before it."""
    client = site.side.client(
        endpoint_url=site.proxy.url,
        config=Config(
            retries={"total_max_attempts": retries, "mode": "standard"}, s3={"addressing_style": "path"}
        )
        if site.side.name == "sync"
        else _aio_config(retries),
    )
    try:
        store = site.side.store(site.side.s3_bucket(site.bucket, client=client), site.prefix)
        session = SessionData(id="s", tool_names=["first"])
        store.save(session)
        site.proxy.reset()
        site.proxy.on(PUT, drop_response)
        session.tool_names.append("second")
        store.save(session)
        assert site.someone_else().load("s").tool_names == ["first", "second"]
        with pytest.raises(SessionConflictError) as caught:
            store.save(SessionData(id="s"))
        # An async client does not report whether this was its first attempt.
        assert caught.value.outcome == ("not written" if site.side.name == "sync" else "unknown")
    finally:
        site.side.close_client(client)


def _aio_config(retries: int) -> Any:
    from aiobotocore.config import AioConfig

    return AioConfig(
        retries={"total_max_attempts": retries, "mode": "standard"}, s3={"addressing_style": "path"}
    )
