"""Servers that take the conditions of a save and do not keep them are found out before the first save."""

from __future__ import annotations

from typing import Any

import pytest

from faults.conftest import Site
from faults.misfortunes import answer, drop_answer, drop_request, strip
from faults.proxy import Matcher, Seen, requests
from faults.sides import at_once
from sessionbucket import (
    Capability,
    ConditionalWritesUnsupportedError,
    SessionData,
    StoreUnavailableError,
    TraceEvent,
)

PROBE = ".sessionbucket/probe/"


def conditional(path: str = "") -> Matcher:
    return lambda seen: seen.method == "PUT" and seen.conditional and path in seen.path


def every_second_racer() -> Matcher:
    met: list[Seen] = []

    def matches(seen: Seen) -> bool:
        if "/race-" not in seen.path or seen.method != "PUT":
            return False
        met.append(seen)
        return len(met) % 2 == 0

    return matches


def first_in_each_race() -> Matcher:
    met: set[str] = set()

    def matches(seen: Seen) -> bool:
        first = "/race-" in seen.path and seen.method == "PUT" and seen.path not in met
        met.add(seen.path)
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
def test_a_server_that_keeps_conditions_is_found_atomic_and_nothing_is_left(new_bucket: Site) -> None:
    store = new_bucket.store()
    found = store.conditional_writes()
    assert found.capability is Capability.ATOMIC
    assert found.failed == ""
    assert new_bucket.proxy.count("PUT", PROBE) == 4 + 3 * 4  # one by one, and three races of four
    assert all_keys(new_bucket) == []
    store.health_check()
    assert all_keys(new_bucket) == []


def test_the_probe_is_made_once_for_a_bucket_and_an_endpoint(new_bucket: Site) -> None:
    new_bucket.store().save(SessionData(id="s"))
    probed = new_bucket.proxy.count(None, PROBE)
    assert probed > 0
    again = new_bucket.store(max_attempts=4)  # another client
    again.save(SessionData(id="t"))
    again.conditional_writes()
    again.health_check()
    assert new_bucket.proxy.count(None, PROBE) == probed


def test_a_store_that_only_reads_probes_nothing(new_bucket: Site) -> None:
    store = new_bucket.store()
    store.load("s")
    store.list()
    store.delete("s")
    assert new_bucket.proxy.count(None, PROBE) == 0


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_a_server_that_ignores_a_condition_is_refused(new_bucket: Site, header: str) -> None:
    new_bucket.proxy.on(requests("PUT", header=header), strip(header), times=None)
    store = new_bucket.store()
    with pytest.raises(ConditionalWritesUnsupportedError, match=header) as caught:
        store.save(SessionData(id="s"))
    assert caught.value.capability == "ignored"
    assert new_bucket.proxy.url in str(caught.value)
    assert 'conditional_writes="off"' in str(caught.value)
    assert all_keys(new_bucket) == []


def test_a_server_that_is_not_atomic_is_refused(new_bucket: Site) -> None:
    new_bucket.proxy.on(every_second_racer(), strip("If-None-Match"), times=None)
    store = new_bucket.store()
    with pytest.raises(ConditionalWritesUnsupportedError, match="writers who raced") as caught:
        store.health_check()
    assert caught.value.capability == "not atomic"
    assert all_keys(new_bucket) == []


@pytest.mark.parametrize(
    ("status", "code"), [(501, "NotImplemented"), (400, "InvalidRequest"), (405, "MethodNotAllowed")]
)
def test_a_server_that_refuses_conditional_requests_is_refused(
    new_bucket: Site, status: int, code: str
) -> None:
    new_bucket.proxy.on(conditional(), answer(status, code), times=None)
    store = new_bucket.store()
    with pytest.raises(ConditionalWritesUnsupportedError, match=code) as caught:
        store.save(SessionData(id="s"))
    assert caught.value.capability == "refused"
    assert all_keys(new_bucket) == []


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_a_server_whose_conditions_never_hold_is_refused(new_bucket: Site, header: str) -> None:
    new_bucket.proxy.on(requests("PUT", header=header), answer(412, "PreconditionFailed"), times=None)
    with pytest.raises(ConditionalWritesUnsupportedError) as caught:
        new_bucket.store().health_check()
    assert caught.value.capability == "refused"


def test_every_way_of_a_conditional_write_is_refused_and_nothing_is_written(new_bucket: Site) -> None:
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


def test_on_such_a_server_a_store_can_be_told_to_save_unconditionally_and_warns(new_bucket: Site) -> None:
    new_bucket.proxy.on(conditional(), answer(501, "NotImplemented"), times=None)
    store = new_bucket.store(conditional_writes="off")
    session = SessionData(id="s", tool_names=["first"])
    with pytest.warns(RuntimeWarning, match="updates are lost"):
        store.save(session)
    session.tool_names.append("second")
    store.save(session)  # says so once
    store.append_trace_events("s", [event()])
    assert store.load("s").tool_names == ["first", "second"]
    assert store.conditional_writes().capability is Capability.OFF
    assert new_bucket.proxy.count(None, PROBE) == 0


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5, 16])
@pytest.mark.parametrize("misfortune", [drop_answer, drop_request, answer(503, "SlowDown")])
def test_a_probe_that_meets_a_fault_is_made_again(new_bucket: Site, nth: int, misfortune: Any) -> None:
    """Nobody is accused for it, and the save succeeds."""
    new_bucket.proxy.on(requests("PUT", PROBE), misfortune, nth=nth)
    store = new_bucket.store()
    store.save(SessionData(id="s"))
    assert store.conditional_writes().capability is Capability.ATOMIC


def test_a_racer_who_is_told_that_it_met_others_has_neither_won_nor_lost(new_bucket: Site) -> None:
    """AWS answers 409 ConditionalRequestConflict to some of the requests that meet; in every race, say."""
    new_bucket.proxy.on(first_in_each_race(), answer(409, "ConditionalRequestConflict"), times=None)
    found = new_bucket.store().conditional_writes()
    assert found.capability is Capability.ATOMIC
    assert new_bucket.proxy.count("PUT", PROBE) == 4 + 3 * (4 + 1)


def test_a_server_that_can_not_be_probed_now_is_probed_later(new_bucket: Site) -> None:
    new_bucket.proxy.on(requests(), answer(503, "SlowDown"), times=None)
    store = new_bucket.store(max_attempts=2)
    with pytest.raises(StoreUnavailableError) as caught:
        store.save(SessionData(id="s"))
    assert caught.value.outcome == "not written"  # the session was never sent
    assert new_bucket.proxy.count() <= 2 * (1 + 2)  # two probes, each with a PUT and two DELETEs
    new_bucket.proxy.reset()
    store.save(SessionData(id="s"))
    assert new_bucket.proxy.count("PUT", PROBE) > 0


def test_first_saves_at_the_same_time_are_all_done(new_bucket: Site) -> None:
    store = new_bucket.store()
    sessions = [SessionData(id=f"s{number}") for number in range(4)]
    results = at_once([lambda session=session: store.save(session) for session in sessions])
    assert results == [None] * 4
    assert sorted(store.list()) == ["s0", "s1", "s2", "s3"]


class TestRclone:
    """``rclone serve s3`` answers 200 to every condition."""

    @pytest.fixture
    def store(self, s3_side: Any, rclone_url: str, kept_buckets: Any) -> Any:
        return s3_side.store(kept_buckets(s3_side, rclone_url, "sessions", {}), f"rclone-{s3_side.name}")

    def test_it_is_found_to_ignore_conditions(self, store: Any) -> None:
        found = store.conditional_writes()
        assert found.capability is Capability.IGNORED
        assert "created twice" in found.failed

    def test_a_save_to_it_is_refused_and_nothing_is_written(self, store: Any) -> None:
        with pytest.raises(ConditionalWritesUnsupportedError, match="If-None-Match is ignored"):
            store.save(SessionData(id="s"))
        with pytest.raises(ConditionalWritesUnsupportedError):
            store.health_check()
        assert store.list() == []

    def test_one_writer_can_use_it_unconditionally(
        self, s3_side: Any, rclone_url: str, kept_buckets: Any
    ) -> None:
        bucket = kept_buckets(s3_side, rclone_url, "sessions", {"conditional_writes": "off"})
        store = s3_side.store(bucket, f"rclone-off-{s3_side.name}")
        with pytest.warns(RuntimeWarning):
            store.save(SessionData(id="s", tool_names=["first"]))
        store.update("s", lambda session: session.tool_names.append("second"))
        assert store.load("s").tool_names == ["first", "second"]
        store.delete("s")
