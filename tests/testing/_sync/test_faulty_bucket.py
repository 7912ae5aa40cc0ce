"""The faulty bucket: each fault does what it says, raises what an S3 bucket would, and an update survives it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from conformance.samples import say, session_of, texts_of
from sessionbucket import (
    Absent,
    AccessDeniedError,
    InvalidArgumentError,
    MemoryBucket,
    NotSupportedError,
    Patience,
    PreconditionFailedError,
    S3Bucket,
    SessionConflictError,
    SessionStore,
    StoreUnavailableError,
)
from sessionbucket.testing import Call, FaultyBucket
from sessionbucket.testing._concurrency.threads import at_once

KEY = "s.json"


@pytest.fixture
def faulty() -> FaultyBucket:
    return FaultyBucket(MemoryBucket())


@pytest.fixture
def store(faulty: FaultyBucket) -> SessionStore[Any]:
    return SessionStore(faulty)


@pytest.fixture
def other(faulty: FaultyBucket) -> SessionStore[Any]:
    """Another writer of the same sessions, whom the faults do not meet."""
    return SessionStore(faulty.inner)


@pytest.fixture
def session(other: SessionStore[Any]) -> str:
    other.save(session_of("s", "base"))
    return "s"


def body_in(faulty: FaultyBucket, key: str = KEY) -> bytes | None:
    found = faulty.inner.get(key, max_bytes=100)
    return found.body if found else None


def test_a_refused_request_does_nothing_and_says_so(faulty: FaultyBucket):
    faulty.refuse("put")
    with pytest.raises(StoreUnavailableError, match="no connection") as caught:
        faulty.put(KEY, b"x")
    assert (caught.value.outcome, caught.value.key) == ("not written", KEY)
    assert body_in(faulty) is None
    faulty.put(KEY, b"x")
    assert body_in(faulty) == b"x"


def test_a_lost_request_does_nothing_and_cannot_be_known(faulty: FaultyBucket):
    faulty.lose_request("put")
    with pytest.raises(StoreUnavailableError) as caught:
        faulty.put(KEY, b"x")
    assert caught.value.outcome == "unknown"
    assert body_in(faulty) is None


def test_a_lost_answer_is_of_a_put_that_was_done(faulty: FaultyBucket):
    faulty.lose_answer("put")
    with pytest.raises(StoreUnavailableError) as caught:
        faulty.put(KEY, b"x", condition=Absent())
    assert caught.value.outcome == "unknown"
    assert body_in(faulty) == b"x"


def test_a_delete_without_an_answer_may_have_been_done(faulty: FaultyBucket):
    for lose, left in ((faulty.lose_request, b"x"), (faulty.lose_answer, None)):
        faulty.put(KEY, b"x")
        lose("delete")
        with pytest.raises(StoreUnavailableError) as caught:
            faulty.delete([KEY])
        assert caught.value.outcome == "unknown"
        assert body_in(faulty) == left


def test_the_lost_answer_may_have_been_a_refusal(faulty: FaultyBucket):
    faulty.put(KEY, b"x")
    faulty.lose_answer("put")
    with pytest.raises(StoreUnavailableError) as caught:
        faulty.put(KEY, b"y", condition=Absent())
    assert caught.value.outcome == "unknown"
    assert body_in(faulty) == b"x"


def test_a_read_without_an_answer_wrote_nothing(faulty: FaultyBucket):
    faulty.put(KEY, b"x")
    for operation, call in (
        ("get", partial(faulty.get, KEY, max_bytes=10)),
        ("head", partial(faulty.head, KEY)),
        ("list_page", partial(faulty.list_page, "")),
        ("get_stream", partial(faulty.get_stream, KEY)),
        ("leftovers", partial(faulty.leftovers, "")),
    ):
        for lose in (faulty.lose_request, faulty.lose_answer):
            lose(operation)
            with pytest.raises(StoreUnavailableError) as caught:
                call()
            assert caught.value.outcome == "not written"
    assert faulty.pending == []


def test_a_refusal_may_be_any_error(faulty: FaultyBucket, store: SessionStore[Any]):
    faulty.refuse("get", error=AccessDeniedError("denied", location=faulty.location))
    with pytest.raises(AccessDeniedError):
        store.load("s")
    assert store.load("s") is None


def test_a_fault_is_for_the_call_that_it_names(faulty: FaultyBucket):
    faulty.refuse("put", key="*/traces/*", nth=2, times=2)
    for key, fails in (
        ("p/s.json", False),
        ("p/traces/1", False),
        ("p/traces/2", True),
        ("p/s.json", False),
        ("p/traces/3", True),
        ("p/traces/4", False),
    ):
        assert faulty.head(key) is None
        answers = at_once(partial(faulty.put, key, b"x"))
        assert isinstance(answers[0], StoreUnavailableError) == fails, key
        faulty.delete([key])


def test_a_fault_without_an_operation_is_for_any(faulty: FaultyBucket):
    faulty.refuse()
    with pytest.raises(StoreUnavailableError):
        faulty.delete(["a", "b"])
    faulty.delete(["a", "b"])


def test_a_fault_without_an_end_lasts_until_it_is_healed(faulty: FaultyBucket):
    faulty.refuse("head", times=None)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            faulty.head(KEY)
    faulty.heal()
    assert faulty.head(KEY) is None


def test_what_was_not_met_is_pending(faulty: FaultyBucket):
    faulty.refuse("head", nth=2)
    faulty.lose_answer(key="x*")
    faulty.head(KEY)
    assert faulty.pending == ["refuse head of '*'", "lose the answer of any call of 'x*'"]
    with pytest.raises(StoreUnavailableError):
        faulty.head(KEY)
    assert faulty.pending == ["lose the answer of any call of 'x*'"]


@pytest.mark.parametrize("wrong", [{"operation": "save"}, {"nth": 0}, {"times": 0}])
def test_a_fault_that_can_never_be_met_is_refused(faulty: FaultyBucket, wrong: dict[str, Any]):
    with pytest.raises(InvalidArgumentError):
        faulty.refuse(**wrong)


def test_every_call_is_noted(faulty: FaultyBucket, store: SessionStore[Any]):
    store.save(session_of("s"))
    store.load("s")
    assert faulty.calls == [Call("put", (KEY,)), Call("get", (KEY,))]


def test_a_held_request_is_done_after_its_release(faulty: FaultyBucket):
    seen: list[Any] = []

    def look() -> None:
        hold.reached()
        seen.append(body_in(faulty))
        hold.release()

    with faulty.hold_request("put") as hold:
        at_once(partial(faulty.put, KEY, b"x"), look)
    assert seen == [None]
    assert body_in(faulty) == b"x"


def test_a_held_answer_is_of_a_request_that_is_done(faulty: FaultyBucket):
    seen: list[Any] = []

    def look() -> None:
        hold.reached()
        seen.append(body_in(faulty))
        hold.release()

    with faulty.hold_answer("put") as hold:
        answers = at_once(partial(faulty.put, KEY, b"x"), look)
    assert seen == [b"x"]
    assert isinstance(answers[0], str)


def test_a_hold_that_nothing_reaches_says_so(faulty: FaultyBucket):
    with (
        faulty.hold_request("put", key="never") as hold,
        pytest.raises(TimeoutError, match="hold put of 'never': no such call came"),
    ):
        hold.reached(seconds=0)


def test_several_faults_may_meet_one_call(faulty: FaultyBucket):
    faulty.interpose(partial(faulty.inner.put, KEY, b"theirs"), "put")
    faulty.lose_answer("put")
    with pytest.raises(StoreUnavailableError):
        faulty.put(KEY, b"mine")
    assert body_in(faulty) == b"mine"


def test_the_fault_that_was_asked_for_first_is_the_outermost(faulty: FaultyBucket):
    faulty.lose_request("put")
    faulty.interpose(partial(faulty.inner.put, KEY, b"theirs"), "put")
    with pytest.raises(StoreUnavailableError):
        faulty.put(KEY, b"mine")
    assert body_in(faulty) is None


@pytest.mark.parametrize(
    ("fault", "operation", "times"),
    [
        ("refuse", "put", 3),
        ("lose_request", "put", 3),
        (
            "lose_answer",
            "put",
            1,
        ),  # a HEAD finds out that it was done, so the answer to a second is never lost
        ("refuse", "get", 2),
        ("lose_answer", "get", 2),
        ("lose_request", None, 3),
        ("lose_answer", None, 3),
    ],
)
def test_an_update_survives_a_fault_with_its_turn_written_once(
    faulty: FaultyBucket, session: str, fault: str, operation: Any, times: int
):
    store = SessionStore(faulty)
    getattr(faulty, fault)(operation, times=times)
    updated = store.update(session, partial(say, text="mine"))
    assert faulty.pending == []
    assert texts_of(updated) == texts_of(store.load(session)) == ["base", "mine"]
    say(updated, "and again")
    store.save(updated)


def test_an_update_survives_another_writer_in_between(
    faulty: FaultyBucket, store: SessionStore[Any], other: SessionStore[Any], session: str
):
    faulty.interpose(lambda: other.update(session, partial(say, text="theirs")), "put")
    store.update(session, partial(say, text="mine"))
    assert faulty.pending == []
    assert texts_of(store.load(session)) == ["base", "theirs", "mine"]


def test_an_update_survives_a_lost_answer_and_another_writer_after_it(
    faulty: FaultyBucket, store: SessionStore[Any], other: SessionStore[Any], session: str
):
    faulty.lose_answer("put")
    faulty.interpose(lambda: other.update(session, partial(say, text="theirs")), "head")
    store.update(session, partial(say, text="mine"))
    assert faulty.pending == []
    assert texts_of(store.load(session)) == ["base", "mine", "theirs"]


def test_an_update_survives_a_slow_put_that_another_writer_overtakes(
    faulty: FaultyBucket, store: SessionStore[Any], other: SessionStore[Any], session: str
):
    def overtake() -> None:
        hold.reached()
        other.update(session, partial(say, text="theirs"))
        hold.release()

    with faulty.hold_request("put") as hold:
        at_once(partial(store.update, session, partial(say, text="mine")), overtake)
    assert texts_of(store.load(session)) == ["base", "theirs", "mine"]


def test_a_plain_save_meets_the_conflict(
    faulty: FaultyBucket, store: SessionStore[Any], other: SessionStore[Any], session: str
):
    mine = store.load(session)
    say(mine, "mine")
    faulty.interpose(lambda: other.update(session, partial(say, text="theirs")), "put")
    with pytest.raises(SessionConflictError) as caught:
        store.save(mine)
    assert caught.value.outcome == "not written"
    assert texts_of(other.load(session)) == ["base", "theirs"]


def test_storage_that_stays_away_is_unavailable_and_the_turn_can_be_repeated(
    faulty: FaultyBucket, store: SessionStore[Any], session: str
):
    faulty.refuse("put", times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        store.update(session, partial(say, text="mine"))
    assert caught.value.outcome == "not written"
    faulty.heal()
    store.update(session, partial(say, text="mine"))
    assert texts_of(store.load(session)) == ["base", "mine"]


def test_the_store_repeats_as_often_as_over_s3_or_as_the_bucket_says(
    faulty: FaultyBucket, store: SessionStore[Any], session: str
):
    faulty.refuse("get", times=None)
    with pytest.raises(StoreUnavailableError):
        store.load(session)
    assert faulty.calls == [Call("get", (KEY,))] * 5
    once = FaultyBucket(faulty.inner, patience=Patience())
    once.refuse("get")
    with pytest.raises(StoreUnavailableError):
        SessionStore(once).load(session)
    assert once.calls == [Call("get", (KEY,))]


def test_a_bucket_whose_conditions_are_off_or_probed_is_neither_probed_nor_trusted_wrongly():
    inner = MemoryBucket()
    for there, here in (("trusted", "trusted"), ("probe", "trusted"), ("off", "off")):
        inner.conditional_writes = there
        assert FaultyBucket(inner).conditional_writes == here


def test_a_refused_condition_comes_through(faulty: FaultyBucket):
    faulty.put(KEY, b"x")
    with pytest.raises(PreconditionFailedError):
        faulty.put(KEY, b"y", condition=Absent())


def test_a_link_is_that_of_the_bucket_within_and_no_request():
    faulty = FaultyBucket(S3Bucket("my-bucket", region="eu-west-1"))
    faulty.refuse(times=None)
    with SessionStore(faulty) as store:
        link = store.presign_file("s", "report.pdf", timedelta(hours=1))
    assert link.startswith("https://my-bucket.s3.eu-west-1.amazonaws.com/artifacts/s/files/report.pdf?")
    assert faulty.calls == []


def test_a_bucket_without_links_has_none_behind_faults_either(store: SessionStore[Any]):
    with pytest.raises(NotSupportedError, match="no links"):
        store.presign_file("s", "report.pdf", timedelta(hours=1))
