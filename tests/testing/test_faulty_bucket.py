"""The faulty bucket: each fault does what its name says and raises the error of an S3 bucket, and an update survives it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from both_sides import SyncSide, at_once
from conformance.samples import say, session_of, texts_of
from sessionbucket import (
    NO_RETRY,
    AccessDeniedError,
    IfAbsent,
    InvalidArgumentError,
    NotSupportedError,
    PreconditionFailedError,
    SessionConflictError,
    SessionStore,
    StoreUnavailableError,
)
from sessionbucket.testing import Call, FaultyBucket
from testing.capabilities import with_capabilities

KEY = "s.json"


@pytest.fixture
def faulty(side: SyncSide) -> FaultyBucket:
    return side.make("FaultyBucket", side.make("MemoryBucket"))


@pytest.fixture
def store(side: SyncSide, faulty: FaultyBucket) -> SessionStore[Any]:
    return side.store(faulty)


@pytest.fixture
def other(side: SyncSide, faulty: FaultyBucket) -> SessionStore[Any]:
    """Another writer of the same sessions, without faults."""
    return side.store(faulty.inner)


@pytest.fixture
def session(other: SessionStore[Any]) -> str:
    other.save(session_of("s", "base"))
    return "s"


def body_in(faulty: FaultyBucket, key: str = KEY) -> bytes | None:
    found = faulty.inner.get(key, max_bytes=100)
    return found.body if found else None


def test_a_failed_request_is_not_executed_and_its_outcome_is_not_written(faulty: FaultyBucket):
    faulty.fail("put")
    with pytest.raises(StoreUnavailableError, match="no connection") as caught:
        faulty.put(KEY, b"x")
    assert (caught.value.outcome, caught.value.key) == ("not written", KEY)
    assert body_in(faulty) is None
    faulty.put(KEY, b"x")
    assert body_in(faulty) == b"x"


def test_a_dropped_request_is_not_executed_and_its_outcome_is_unknown(faulty: FaultyBucket):
    faulty.drop_request("put")
    with pytest.raises(StoreUnavailableError) as caught:
        faulty.put(KEY, b"x")
    assert caught.value.outcome == "unknown"
    assert body_in(faulty) is None


def test_the_put_of_a_dropped_response_was_executed(faulty: FaultyBucket):
    faulty.drop_response("put")
    with pytest.raises(StoreUnavailableError) as caught:
        faulty.put(KEY, b"x", condition=IfAbsent())
    assert caught.value.outcome == "unknown"
    assert body_in(faulty) == b"x"


def test_a_delete_without_a_response_may_have_been_executed(faulty: FaultyBucket):
    for drop, left in ((faulty.drop_request, b"x"), (faulty.drop_response, None)):
        faulty.put(KEY, b"x")
        drop("delete")
        with pytest.raises(StoreUnavailableError) as caught:
            faulty.delete([KEY])
        assert caught.value.outcome == "unknown"
        assert body_in(faulty) == left


def test_a_dropped_response_may_have_been_an_error(faulty: FaultyBucket):
    faulty.put(KEY, b"x")
    faulty.drop_response("put")
    with pytest.raises(StoreUnavailableError) as caught:
        faulty.put(KEY, b"y", condition=IfAbsent())
    assert caught.value.outcome == "unknown"
    assert body_in(faulty) == b"x"


def test_the_outcome_of_a_read_without_a_response_is_not_written(faulty: FaultyBucket):
    faulty.put(KEY, b"x")
    for operation, call in (
        ("get", partial(faulty.get, KEY, max_bytes=10)),
        ("head", partial(faulty.head, KEY)),
        ("list_page", partial(faulty.list_page, "")),
        ("get_stream", partial(faulty.get_stream, KEY)),
        ("temporary_objects", partial(faulty.temporary_objects, "")),
    ):
        for drop in (faulty.drop_request, faulty.drop_response):
            drop(operation)
            with pytest.raises(StoreUnavailableError) as caught:
                call()
            assert caught.value.outcome == "not written"
    assert faulty.pending == []


def test_a_failure_may_be_any_error(faulty: FaultyBucket, store: SessionStore[Any]):
    faulty.fail("get", error=AccessDeniedError("denied", location=faulty.location))
    with pytest.raises(AccessDeniedError):
        store.load("s")
    assert store.load("s") is None


def test_a_fault_is_for_the_calls_that_it_selects(faulty: FaultyBucket):
    faulty.fail("put", key="*/traces/*", nth=2, times=2)
    for key, fails in (
        ("p/s.json", False),
        ("p/traces/1", False),
        ("p/traces/2", True),
        ("p/s.json", False),
        ("p/traces/3", True),
        ("p/traces/4", False),
    ):
        assert faulty.head(key) is None
        results = at_once([partial(faulty.put, key, b"x")])
        assert isinstance(results[0], StoreUnavailableError) == fails, key
        faulty.delete([key])


def test_a_fault_without_an_operation_is_for_any(faulty: FaultyBucket):
    faulty.fail()
    with pytest.raises(StoreUnavailableError):
        faulty.delete(["a", "b"])
    faulty.delete(["a", "b"])


def test_a_fault_without_a_number_of_calls_lasts_until_faults_are_cleared(faulty: FaultyBucket):
    faulty.fail("head", times=None)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            faulty.head(KEY)
    faulty.clear_faults()
    assert faulty.head(KEY) is None


def test_a_fault_that_met_no_call_is_pending(faulty: FaultyBucket):
    faulty.fail("head", nth=2)
    faulty.drop_response(key="x*")
    faulty.head(KEY)
    assert faulty.pending == ["fail head of '*'", "drop the response of any call of 'x*'"]
    with pytest.raises(StoreUnavailableError):
        faulty.head(KEY)
    assert faulty.pending == ["drop the response of any call of 'x*'"]


@pytest.mark.parametrize("wrong", [{"operation": "save"}, {"nth": 0}, {"times": 0}])
def test_a_fault_that_can_meet_no_call_is_refused(faulty: FaultyBucket, wrong: dict[str, Any]):
    with pytest.raises(InvalidArgumentError):
        faulty.fail(**wrong)


def test_every_call_is_recorded(faulty: FaultyBucket, store: SessionStore[Any]):
    store.save(session_of("s"))
    store.load("s")
    assert faulty.calls == [Call("put", (KEY,)), Call("get", (KEY,))]


def test_a_paused_request_is_executed_after_its_release(faulty: FaultyBucket):
    seen: list[Any] = []

    def look() -> None:
        pause.reached()
        seen.append(body_in(faulty))
        pause.release()

    with faulty.pause_before("put") as pause:
        at_once([partial(faulty.put, KEY, b"x"), look])
    assert seen == [None]
    assert body_in(faulty) == b"x"


def test_the_request_of_a_paused_response_was_executed(faulty: FaultyBucket):
    seen: list[Any] = []

    def look() -> None:
        pause.reached()
        seen.append(body_in(faulty))
        pause.release()

    with faulty.pause_after("put") as pause:
        results = at_once([partial(faulty.put, KEY, b"x"), look])
    assert seen == [b"x"]
    assert isinstance(results[0], str)


def test_a_pause_that_no_call_reaches_raises_timeout_error(faulty: FaultyBucket):
    with (
        faulty.pause_before("put", key="never") as pause,
        pytest.raises(TimeoutError, match="pause before put of 'never': no such call came"),
    ):
        pause.reached(seconds=0)


def test_several_faults_may_meet_one_call(faulty: FaultyBucket):
    faulty.run_before(partial(faulty.inner.put, KEY, b"theirs"), "put")
    faulty.drop_response("put")
    with pytest.raises(StoreUnavailableError):
        faulty.put(KEY, b"mine")
    assert body_in(faulty) == b"mine"


def test_the_fault_that_was_requested_first_is_the_outermost(faulty: FaultyBucket):
    faulty.drop_request("put")
    faulty.run_before(partial(faulty.inner.put, KEY, b"theirs"), "put")
    with pytest.raises(StoreUnavailableError):
        faulty.put(KEY, b"mine")
    assert body_in(faulty) is None


@pytest.mark.parametrize(
    ("fault", "operation", "times"),
    [
        ("fail", "put", 3),
        ("drop_request", "put", 3),
        ("drop_response", "put", 1),  # a HEAD shows that it was done, so there is no second put
        ("fail", "get", 2),
        ("drop_response", "get", 2),
        ("drop_request", None, 3),
        ("drop_response", None, 3),
    ],
)
def test_an_update_survives_a_fault_with_its_turn_written_once(
    faulty: FaultyBucket, store: SessionStore[Any], session: str, fault: str, operation: Any, times: int
):
    getattr(faulty, fault)(operation, times=times)
    updated = store.update(session, partial(say, text="mine"))
    assert faulty.pending == []
    assert texts_of(updated) == texts_of(store.load(session)) == ["base", "mine"]
    say(updated, "and again")
    store.save(updated)


def test_an_update_survives_another_writer_in_between(
    faulty: FaultyBucket, store: SessionStore[Any], other: SessionStore[Any], session: str
):
    faulty.run_before(lambda: other.update(session, partial(say, text="theirs")), "put")
    store.update(session, partial(say, text="mine"))
    assert faulty.pending == []
    assert texts_of(store.load(session)) == ["base", "theirs", "mine"]


def test_an_update_survives_a_dropped_response_and_another_writer_after_it(
    faulty: FaultyBucket, store: SessionStore[Any], other: SessionStore[Any], session: str
):
    faulty.drop_response("put")
    faulty.run_before(lambda: other.update(session, partial(say, text="theirs")), "head")
    store.update(session, partial(say, text="mine"))
    assert faulty.pending == []
    assert texts_of(store.load(session)) == ["base", "mine", "theirs"]


def test_an_update_survives_a_slow_put_that_another_writer_overtakes(
    faulty: FaultyBucket, store: SessionStore[Any], other: SessionStore[Any], session: str
):
    def overtake() -> None:
        pause.reached()
        other.update(session, partial(say, text="theirs"))
        pause.release()

    with faulty.pause_before("put") as pause:
        at_once([partial(store.update, session, partial(say, text="mine")), overtake])
    assert texts_of(store.load(session)) == ["base", "theirs", "mine"]


def test_a_plain_save_raises_the_conflict(
    faulty: FaultyBucket, store: SessionStore[Any], other: SessionStore[Any], session: str
):
    mine = store.load(session)
    say(mine, "mine")
    faulty.run_before(lambda: other.update(session, partial(say, text="theirs")), "put")
    with pytest.raises(SessionConflictError) as caught:
        store.save(mine)
    assert caught.value.outcome == "not written"
    assert texts_of(other.load(session)) == ["base", "theirs"]


def test_a_lasting_fault_raises_store_unavailable_and_the_turn_can_be_repeated(
    faulty: FaultyBucket, store: SessionStore[Any], session: str
):
    faulty.fail("put", times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        store.update(session, partial(say, text="mine"))
    assert caught.value.outcome == "not written"
    faulty.clear_faults()
    store.update(session, partial(say, text="mine"))
    assert texts_of(store.load(session)) == ["base", "mine"]


def test_the_store_retries_as_often_as_on_s3_or_as_the_given_config_allows(
    side: SyncSide, faulty: FaultyBucket, store: SessionStore[Any], session: str
):
    faulty.fail("get", times=None)
    with pytest.raises(StoreUnavailableError):
        store.load(session)
    assert faulty.calls == [Call("get", (KEY,))] * 5
    once = side.make("FaultyBucket", faulty.inner, retry=NO_RETRY)
    once.fail("get")
    with pytest.raises(StoreUnavailableError):
        side.store(once).load(session)
    assert once.calls == [Call("get", (KEY,))]


def test_conditional_writes_are_trusted_unless_they_are_off_in_the_inner_bucket(side: SyncSide):
    for inner, outer in (("trusted", "trusted"), ("probe", "trusted"), ("off", "off")):
        bucket = with_capabilities(side, side.make("MemoryBucket"), conditional_writes=inner)
        assert side.make("FaultyBucket", bucket).capabilities.conditional_writes == outer


def test_a_failed_condition_raises_the_error_of_the_inner_bucket(faulty: FaultyBucket):
    faulty.put(KEY, b"x")
    with pytest.raises(PreconditionFailedError):
        faulty.put(KEY, b"y", condition=IfAbsent())


def test_a_presigned_url_is_that_of_the_inner_bucket_and_no_request(side: SyncSide):
    faulty = side.make("FaultyBucket", side.s3_bucket("my-bucket", region="eu-west-1"))
    faulty.fail(times=None)
    with side.store(faulty) as store:
        url = store.presign_file("s", "report.pdf", timedelta(hours=1))
    assert url.startswith("https://my-bucket.s3.eu-west-1.amazonaws.com/artifacts/s/files/report.pdf?")
    assert faulty.calls == []


def test_a_bucket_without_presigned_urls_has_none_with_faults_either(store: SessionStore[Any]):
    with pytest.raises(NotSupportedError, match="no presigned URLs"):
        store.presign_file("s", "report.pdf", timedelta(hours=1))
