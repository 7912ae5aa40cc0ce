"""Servers that are not there, do not answer, or break off: an error of ours, after a bounded number of requests.

The tests count requests; each ends within ``connect_timeout`` + ``read_timeout``, which they set low.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from faults.conftest import Site
from faults.misfortunes import act_and_never_answer, drop_request, never_answer, reset_upload
from faults.proxy import requests
from sessionbucket import SessionBucketError, SessionData, StoreUnavailableError
from sessionbucket.testing.ports import free_ports

KEY = "s.json"
PUT = requests("PUT", KEY)
ATTEMPTS = 2
QUICK = {"read_timeout": 0.3, "connect_timeout": 5.0, "max_attempts": ATTEMPTS}


@pytest.fixture(params=["moto"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def unavailable(call: Any, *named: str) -> StoreUnavailableError:
    with pytest.raises(StoreUnavailableError) as caught:
        call()
    assert caught.value.__cause__ is not None
    for each in named:
        assert each in str(caught.value)
    return caught.value


def test_a_server_that_never_answers_a_read_costs_no_more_than_was_asked_for(site: Site) -> None:
    site.proxy.on(requests(), never_answer, times=None)
    store = site.store(**QUICK)
    for call in (store.load, store.exists):
        site.proxy.seen.clear()
        unavailable(lambda call=call: call("s"), site.proxy.url, site.bucket, KEY, "in time", "read_timeout")
        assert len(site.proxy.seen) == ATTEMPTS
    site.proxy.seen.clear()
    unavailable(store.list, site.proxy.url, "in time")
    assert len(site.proxy.seen) == ATTEMPTS


def test_a_server_that_never_answers_a_save_costs_no_more_than_was_asked_for(site: Site) -> None:
    site.proxy.on(requests(), never_answer, times=None)
    store = site.store(**QUICK)
    error = unavailable(
        lambda: store.save(SessionData(id="s")), site.proxy.url, site.bucket, KEY, "in time", "not known"
    )
    assert error.outcome == "unknown"
    assert site.proxy.count("PUT") == ATTEMPTS
    assert site.proxy.count("HEAD") <= ATTEMPTS


def test_with_no_time_to_try_again_a_silent_server_is_asked_twice_by_a_save(site: Site) -> None:
    site.proxy.on(requests(), never_answer, times=None)
    store = site.store(**QUICK | {"max_attempts": 9, "retry_timeout": 0.0})
    unavailable(lambda: store.save(SessionData(id="s")))
    assert [seen.method for seen in site.proxy.seen] == ["PUT", "HEAD"]


def test_a_save_that_was_done_in_silence_succeeds(site: Site) -> None:
    site.proxy.on(PUT, act_and_never_answer)
    session = SessionData(id="s", tool_names=["first"])
    site.store(read_timeout=2.0).save(session)
    assert site.proxy.count("PUT", KEY) == 1
    assert site.someone_else().load("s").tool_names == ["first"]


@pytest.mark.parametrize("server", ["moto", "seaweed"], indirect=True)
@pytest.mark.parametrize("size", [10, 6_000_000])
def test_an_upload_that_breaks_in_the_middle_is_sent_again(site: Site, size: int) -> None:
    site.proxy.on(PUT, reset_upload, times=2)
    site.store().save(SessionData(id="s", tool_names=["x" * size]))
    assert site.proxy.count("PUT", KEY) == 3
    assert len(site.someone_else().load("s").tool_names[0]) == size


def test_an_answer_that_breaks_off_before_it_begins_is_asked_for_again(site: Site) -> None:
    store = site.store()
    store.save(SessionData(id="s", tool_names=["first"]))
    for call in (lambda: store.load("s"), lambda: store.exists("s"), store.list):
        site.proxy.on(requests(), drop_request, times=2)
        assert call()


@pytest.fixture
def nowhere(s3_side: Any) -> Iterator[Any]:
    """Makes stores at endpoints that are none."""
    buckets: list[Any] = []

    def make(url: str) -> Any:
        buckets.append(
            s3_side.s3_bucket(
                "sessions", endpoint_url=url, addressing_style="path", **QUICK, retry_timeout=0.0
            )
        )
        return s3_side.store(buckets[-1], "p")

    yield make
    for bucket in buckets:
        s3_side.close_bucket(bucket)


@pytest.mark.parametrize("call", ["save", "load", "exists", "list", "delete", "health_check"])
@pytest.mark.parametrize("kind", ["refused", "no such name"])
def test_an_endpoint_that_is_not_there_is_named_with_what_to_check(
    nowhere: Any, kind: str, call: str
) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}" if kind == "refused" else "http://no-such-host.invalid:9000"
    store = nowhere(url)
    calls = {
        "save": lambda: store.save(SessionData(id="s")),
        "load": lambda: store.load("s"),
        "exists": lambda: store.exists("s"),
        "list": store.list,
        "delete": lambda: store.delete("s"),
        "health_check": store.health_check,
    }
    with pytest.raises(SessionBucketError) as caught:
        calls[call]()
    message = str(caught.value)
    assert url in message
    assert "sessions" in message
    assert "check the endpoint" in message
    assert "not known" not in message  # no request was ever sent


def test_a_save_to_a_server_that_comes_back_in_time_succeeds(site: Site) -> None:
    """The connection is refused at first, which is surely no write, and then it is not."""
    client = site.side.client(endpoint_url=site.proxy.url)
    tries: list[object] = []

    def come_back(**_event: object) -> None:
        tries.append(None)
        if len(tries) == 3:
            site.proxy.accept_connections()

    client.meta.events.register("before-send.s3.PutObject", come_back)
    site.proxy.refuse_connections()
    try:
        bucket = site.side.s3_bucket(site.bucket, client=client)
        site.side.store(bucket, site.prefix).save(SessionData(id="s", tool_names=["first"]))
    finally:
        if len(tries) < 3:
            site.proxy.accept_connections()
        site.side.close_client(client)
    assert site.someone_else().load("s").tool_names == ["first"]
