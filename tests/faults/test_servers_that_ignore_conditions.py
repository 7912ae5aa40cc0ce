"""Before its first save, a store detects servers that accept conditional headers and do not enforce them."""

from __future__ import annotations

from typing import Any

import pytest

from both_sides import at_once
from faults.conftest import Site
from faults.proxy import Matcher, RecordedRequest, requests
from faults.proxy_faults import drop_request, drop_response, respond, strip
from sessionbucket import (
    ConditionalWritesUnsupportedError,
    ConditionalWriteSupport,
    SessionData,
    StoreUnavailableError,
)
from sessionbucket.models import TraceEvent

PROBE = ".sessionbucket/probe/"


def conditional(path: str = "") -> Matcher:
    return lambda request: request.method == "PUT" and request.conditional and path in request.path


def every_second_racer() -> Matcher:
    racers: list[RecordedRequest] = []

    def matches(request: RecordedRequest) -> bool:
        if "/race-" not in request.path or request.method != "PUT":
            return False
        racers.append(request)
        return len(racers) % 2 == 0

    return matches


def first_in_each_race() -> Matcher:
    paths: set[str] = set()

    def matches(request: RecordedRequest) -> bool:
        first = "/race-" in request.path and request.method == "PUT" and request.path not in paths
        paths.add(request.path)
        return first

    return matches


def all_keys(site: Site) -> list[str]:
    return [
        row["Key"] for row in site.raw.list_objects_v2(Bucket=site.bucket, Prefix="t-").get("Contents", [])
    ]


def event() -> TraceEvent:
    return TraceEvent.tool_execution("a", success=True, exit_code=0, duration=0.0, output_bytes=0)


@pytest.fixture(params=["moto"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("server", ["moto", "seaweed"], indirect=True)
def test_the_probe_reports_atomic_writes_and_leaves_no_object(new_bucket: Site) -> None:
    store = new_bucket.store()
    found = store.probe_conditional_writes()
    assert found.support is ConditionalWriteSupport.ATOMIC
    assert found.reason == ""
    assert new_bucket.proxy.count("PUT", PROBE) == 4 + 3 * 4  # four single puts, and three races of four
    assert all_keys(new_bucket) == []
    store.health_check()
    assert all_keys(new_bucket) == []


def test_a_bucket_at_an_endpoint_is_probed_once(new_bucket: Site) -> None:
    new_bucket.store().save(SessionData(id="s"))
    probed = new_bucket.proxy.count(None, PROBE)
    assert probed > 0
    again = new_bucket.store(max_attempts=4)  # another client
    again.save(SessionData(id="t"))
    again.probe_conditional_writes()
    again.health_check()
    assert new_bucket.proxy.count(None, PROBE) == probed


def test_a_store_that_only_reads_does_not_probe(new_bucket: Site) -> None:
    store = new_bucket.store()
    store.load("s")
    store.list()
    assert new_bucket.proxy.count(None, PROBE) == 0


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_a_server_that_ignores_a_condition_is_rejected(new_bucket: Site, header: str) -> None:
    new_bucket.proxy.on(requests("PUT", header=header), strip(header), times=None)
    store = new_bucket.store()
    with pytest.raises(ConditionalWritesUnsupportedError, match=header) as caught:
        store.save(SessionData(id="s"))
    assert caught.value.support == "ignored"
    assert new_bucket.proxy.url in str(caught.value)
    assert 'conditional_writes="off"' in str(caught.value)
    assert all_keys(new_bucket) == []


def test_a_server_that_is_not_atomic_is_rejected(new_bucket: Site) -> None:
    new_bucket.proxy.on(every_second_racer(), strip("If-None-Match"), times=None)
    store = new_bucket.store()
    with pytest.raises(ConditionalWritesUnsupportedError, match="writers raced") as caught:
        store.health_check()
    assert caught.value.support == "not atomic"
    assert all_keys(new_bucket) == []


@pytest.mark.parametrize(
    ("status", "code"), [(501, "NotImplemented"), (400, "InvalidRequest"), (405, "MethodNotAllowed")]
)
def test_a_server_that_refuses_conditional_requests_is_rejected(
    new_bucket: Site, status: int, code: str
) -> None:
    new_bucket.proxy.on(conditional(), respond(status, code), times=None)
    store = new_bucket.store()
    with pytest.raises(ConditionalWritesUnsupportedError, match=code) as caught:
        store.save(SessionData(id="s"))
    assert caught.value.support == "refused"
    assert all_keys(new_bucket) == []


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_a_server_whose_conditions_never_hold_is_rejected(new_bucket: Site, header: str) -> None:
    new_bucket.proxy.on(requests("PUT", header=header), respond(412, "PreconditionFailed"), times=None)
    with pytest.raises(ConditionalWritesUnsupportedError) as caught:
        new_bucket.store().health_check()
    assert caught.value.support == "refused"


def test_every_conditional_write_is_rejected_and_nothing_is_written(new_bucket: Site) -> None:
    new_bucket.proxy.on(requests("PUT"), strip("If-None-Match", "If-Match"), times=None)
    store = new_bucket.store()
    for call in (
        lambda: store.save(SessionData(id="s")),
        lambda: store.update("s", lambda session: session, create=lambda: SessionData(id="s")),
        lambda: store.append_trace_events("s", [event()]),
        lambda: store.save_turn(SessionData(id="s"), trace_events=[event()]),
        store.health_check,
    ):
        with pytest.raises(ConditionalWritesUnsupportedError):
            call()
    assert all_keys(new_bucket) == []


def test_a_store_with_conditional_writes_off_saves_unconditionally_and_warns_once(new_bucket: Site) -> None:
    new_bucket.proxy.on(conditional(), respond(501, "NotImplemented"), times=None)
    store = new_bucket.store(conditional_writes="off")
    session = SessionData(id="s", tool_names=["first"])
    with pytest.warns(RuntimeWarning, match="updates are lost"):
        store.save(session)
    session.tool_names.append("second")
    store.save(session)  # without a second warning
    store.append_trace_events("s", [event()])
    assert store.load("s").tool_names == ["first", "second"]
    assert store.probe_conditional_writes().support is ConditionalWriteSupport.OFF
    assert new_bucket.proxy.count(None, PROBE) == 0


@pytest.mark.parametrize("nth", [1, *(pytest.param(nth, marks=pytest.mark.slow) for nth in (2, 3, 4, 5, 16))])
@pytest.mark.parametrize("fault", [drop_response, drop_request, respond(503, "SlowDown")])
def test_a_probe_is_repeated_after_a_fault(new_bucket: Site, nth: int, fault: Any) -> None:
    """The fault proves nothing about the server, and the save succeeds."""
    new_bucket.proxy.on(requests("PUT", PROBE), fault, nth=nth)
    store = new_bucket.store()
    store.save(SessionData(id="s"))
    assert store.probe_conditional_writes().support is ConditionalWriteSupport.ATOMIC


def test_a_racing_writer_that_gets_409_sends_its_put_again(new_bucket: Site) -> None:
    """AWS responds 409 ConditionalRequestConflict to some of several concurrent requests. Here it does so in every race."""
    new_bucket.proxy.on(first_in_each_race(), respond(409, "ConditionalRequestConflict"), times=None)
    found = new_bucket.store().probe_conditional_writes()
    assert found.support is ConditionalWriteSupport.ATOMIC
    assert new_bucket.proxy.count("PUT", PROBE) == 4 + 3 * (4 + 1)


def test_an_unavailable_server_is_probed_at_the_next_save(new_bucket: Site) -> None:
    new_bucket.proxy.on(requests(), respond(503, "SlowDown"), times=None)
    store = new_bucket.store(max_attempts=2)
    with pytest.raises(StoreUnavailableError) as caught:
        store.save(SessionData(id="s"))
    assert caught.value.outcome == "not written"  # the session was not sent
    assert new_bucket.proxy.count() <= 2 * (1 + 2)  # two probes, each with a listing and two DELETEs
    new_bucket.proxy.reset()
    store.save(SessionData(id="s"))
    assert new_bucket.proxy.count("PUT", PROBE) > 0


def test_concurrent_first_saves_all_succeed(new_bucket: Site) -> None:
    store = new_bucket.store()
    sessions = [SessionData(id=f"s{number}") for number in range(4)]
    results = at_once([lambda session=session: store.save(session) for session in sessions])
    assert results == [None] * 4
    assert sorted(store.list()) == ["s0", "s1", "s2", "s3"]


class TestRclone:
    """``rclone serve s3`` responds 200 whatever the condition."""

    @pytest.fixture
    def store(self, s3_side: Any, rclone_url: str, kept_buckets: Any) -> Any:
        return s3_side.store(kept_buckets(s3_side, rclone_url, "sessions", {}), f"rclone-{s3_side.name}")

    def test_the_probe_reports_ignored_conditions(self, store: Any) -> None:
        found = store.probe_conditional_writes()
        assert found.support is ConditionalWriteSupport.IGNORED
        assert "created twice" in found.reason

    def test_a_save_is_rejected_and_nothing_is_written(self, store: Any) -> None:
        with pytest.raises(ConditionalWritesUnsupportedError, match="If-None-Match is ignored"):
            store.save(SessionData(id="s"))
        with pytest.raises(ConditionalWritesUnsupportedError):
            store.health_check()
        assert store.list() == []

    def test_one_writer_can_save_with_conditional_writes_off(
        self, s3_side: Any, rclone_url: str, kept_buckets: Any
    ) -> None:
        bucket = kept_buckets(s3_side, rclone_url, "sessions", {"conditional_writes": "off"})
        store = s3_side.store(bucket, f"rclone-off-{s3_side.name}")
        with pytest.warns(RuntimeWarning):
            store.save(SessionData(id="s", tool_names=["first"]))
        store.update("s", lambda session: session.tool_names.append("second"))
        assert store.load("s").tool_names == ["first", "second"]
        store.delete("s")
