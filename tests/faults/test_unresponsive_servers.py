"""Missing servers, servers that do not respond, and broken connections: one of our errors after a bounded number of requests.

The tests count requests. Each request ends within ``connect_timeout`` + ``read_timeout``, which the tests set low.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from faults.conftest import Site
from faults.proxy import requests
from faults.proxy_faults import act_and_never_respond, drop_request, never_respond, reset_upload
from sessionbucket import SessionBucketError, SessionData, StoreUnavailableError
from sessionbucket.testing.server_process import free_ports

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


def test_a_read_without_response_is_sent_max_attempts_times(site: Site) -> None:
    site.proxy.on(requests(), never_respond, times=None)
    store = site.store(**QUICK)
    for call in (store.load, store.exists):
        site.proxy.recorded.clear()
        unavailable(lambda call=call: call("s"), site.proxy.url, site.bucket, KEY, "in time", "read_timeout")
        assert len(site.proxy.recorded) == ATTEMPTS
    site.proxy.recorded.clear()
    unavailable(store.list, site.proxy.url, "in time")
    assert len(site.proxy.recorded) == ATTEMPTS


def test_a_save_without_response_is_sent_max_attempts_times(site: Site) -> None:
    site.proxy.on(requests(), never_respond, times=None)
    store = site.store(**QUICK)
    error = unavailable(
        lambda: store.save(SessionData(id="s")),
        site.proxy.url,
        site.bucket,
        KEY,
        "in time",
        "may or may not have been done",
    )
    assert error.outcome == "unknown"
    assert site.proxy.count("PUT") == ATTEMPTS
    assert site.proxy.count("HEAD") <= ATTEMPTS


def test_a_save_without_response_and_without_retry_time_sends_one_put_and_one_head(site: Site) -> None:
    site.proxy.on(requests(), never_respond, times=None)
    store = site.store(**QUICK | {"max_attempts": 9, "retry_timeout": 0.0})
    unavailable(lambda: store.save(SessionData(id="s")))
    assert [request.method for request in site.proxy.recorded] == ["PUT", "HEAD"]


def test_a_save_that_was_done_without_response_succeeds(site: Site) -> None:
    site.proxy.on(PUT, act_and_never_respond)
    session = SessionData(id="s", tool_names=["first"])
    site.store(read_timeout=1.0).save(session)
    assert site.proxy.count("PUT", KEY) == 1
    assert site.someone_else().load("s").tool_names == ["first"]


@pytest.mark.parametrize("server", ["moto", pytest.param("seaweed", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.parametrize("size", [10, 6_000_000])
def test_a_put_whose_connection_breaks_in_the_middle_is_sent_again(site: Site, size: int) -> None:
    site.proxy.on(PUT, reset_upload, times=2)
    site.store().save(SessionData(id="s", tool_names=["x" * size]))
    assert site.proxy.count("PUT", KEY) == 3
    assert len(site.someone_else().load("s").tool_names[0]) == size


def test_a_read_whose_connection_breaks_before_the_response_is_sent_again(site: Site) -> None:
    store = site.store()
    store.save(SessionData(id="s", tool_names=["first"]))
    for call in (lambda: store.load("s"), lambda: store.exists("s"), store.list):
        site.proxy.on(requests(), drop_request, times=2)
        assert call()


@pytest.fixture
def store_at(s3_side: Any) -> Iterator[Any]:
    """Makes stores at endpoints without a server."""
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
        bucket.close()


@pytest.mark.parametrize("call", ["save", "load", "exists", "list", "delete", "health_check"])
@pytest.mark.parametrize("kind", ["refused", pytest.param("no such name", marks=pytest.mark.slow)])
def test_the_error_for_a_missing_endpoint_names_it_and_the_things_to_check(
    store_at: Any, kind: str, call: str
) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}" if kind == "refused" else "http://no-such-host.invalid:9000"
    store = store_at(url)
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
    assert "may or may not" not in message  # no request was sent


def test_a_save_to_a_server_that_becomes_reachable_during_the_retries_succeeds(site: Site) -> None:
    """The first connections are refused, which proves that nothing was written."""
    client = site.side.client(endpoint_url=site.proxy.url)
    attempts: list[object] = []

    def restore(**_event: object) -> None:
        attempts.append(None)
        if len(attempts) == 3:
            site.proxy.accept_connections()

    client.meta.events.register("before-send.s3.PutObject", restore)
    site.proxy.refuse_connections()
    try:
        bucket = site.side.s3_bucket(site.bucket, client=client)
        site.side.store(bucket, site.prefix).save(SessionData(id="s", tool_names=["first"]))
    finally:
        if len(attempts) < 3:
            site.proxy.accept_connections()
        site.side.close_client(client)
    assert site.someone_else().load("s").tool_names == ["first"]
