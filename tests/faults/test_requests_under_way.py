"""Requests that reach the server late, and clients that send a request twice on their own."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config

from faults.conftest import Site
from faults.misfortunes import DeliverLate, before, drop_answer
from faults.proxy import requests
from sessionbucket import SessionConflictError, SessionData

PUT = requests("PUT", "s.json")


def test_a_request_that_arrives_after_its_repetition_changes_nothing(site: Site) -> None:
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
    assert [answer.status for answer in late.answers] == [412]
    assert site.someone_else().load("s").tool_names == ["first", "second", "third"]


def test_a_save_said_not_to_be_written_is_not_written_when_its_request_arrives_late(site: Site) -> None:
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
    assert [answer.status for answer in late.answers] == [412]
    assert site.someone_else().load("s").tool_names == ["first", "other"]


def test_a_request_on_a_kept_connection_that_breaks_is_not_sent_twice_behind_our_back(site: Site) -> None:
    """aiohttp repeats an idempotent request on such a connection without telling, and counts PUT among these."""
    store = site.store()
    session = SessionData(id="s", tool_names=["first"])
    store.save(session)
    assert store.exists("s")  # the connection is now a kept one
    site.proxy.reset()
    site.proxy.on(PUT, drop_answer)
    session.tool_names.append("second")
    store.save(session)
    assert [seen.method for seen in site.proxy.seen] == ["PUT", "HEAD"]


@pytest.mark.parametrize("retries", [1, 4])
def test_with_a_client_of_the_users_own_a_lost_answer_is_no_conflict(site: Site, retries: int) -> None:
    """Such a client keeps its own retries, and aiohttp's silent one, and then meets its own write."""
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
        site.proxy.on(PUT, drop_answer)
        session.tool_names.append("second")
        store.save(session)
        assert site.someone_else().load("s").tool_names == ["first", "second"]
        with pytest.raises(SessionConflictError) as caught:
            store.save(SessionData(id="s"))
        # Of a ready async client nobody knows whether this was its first try.
        assert caught.value.outcome == ("not written" if site.side.name == "sync" else "unknown")
    finally:
        site.side.close_client(client)


def _aio_config(retries: int) -> Any:
    from aiobotocore.config import AioConfig

    return AioConfig(
        retries={"total_max_attempts": retries, "mode": "standard"}, s3={"addressing_style": "path"}
    )
