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
    AsyncMemoryBucket,
    AsyncS3Bucket,
    AsyncSessionStore,
    InvalidArgumentError,
    NotSupportedError,
    Patience,
    PreconditionFailedError,
    SessionConflictError,
    StoreUnavailableError,
)
from sessionbucket.testing import AsyncFaultyBucket, Call
from sessionbucket.testing._concurrency.asyncio_ import at_once

KEY = "s.json"


@pytest.fixture
def faulty() -> AsyncFaultyBucket:
    return AsyncFaultyBucket(AsyncMemoryBucket())


@pytest.fixture
def store(faulty: AsyncFaultyBucket) -> AsyncSessionStore[Any]:
    return AsyncSessionStore(faulty)


@pytest.fixture
def other(faulty: AsyncFaultyBucket) -> AsyncSessionStore[Any]:
    """Another writer of the same sessions, whom the faults do not meet."""
    return AsyncSessionStore(faulty.inner)


@pytest.fixture
async def session(other: AsyncSessionStore[Any]) -> str:
    await other.save(session_of("s", "base"))
    return "s"


async def body_in(faulty: AsyncFaultyBucket, key: str = KEY) -> bytes | None:
    found = await faulty.inner.get(key, max_bytes=100)
    return found.body if found else None


async def test_a_refused_request_does_nothing_and_says_so(faulty: AsyncFaultyBucket):
    faulty.refuse("put")
    with pytest.raises(StoreUnavailableError, match="no connection") as caught:
        await faulty.put(KEY, b"x")
    assert (caught.value.outcome, caught.value.key) == ("not written", KEY)
    assert await body_in(faulty) is None
    await faulty.put(KEY, b"x")
    assert await body_in(faulty) == b"x"


async def test_a_lost_request_does_nothing_and_cannot_be_known(faulty: AsyncFaultyBucket):
    faulty.lose_request("put")
    with pytest.raises(StoreUnavailableError) as caught:
        await faulty.put(KEY, b"x")
    assert caught.value.outcome == "unknown"
    assert await body_in(faulty) is None


async def test_a_lost_answer_is_of_a_put_that_was_done(faulty: AsyncFaultyBucket):
    faulty.lose_answer("put")
    with pytest.raises(StoreUnavailableError) as caught:
        await faulty.put(KEY, b"x", condition=Absent())
    assert caught.value.outcome == "unknown"
    assert await body_in(faulty) == b"x"


async def test_a_delete_without_an_answer_may_have_been_done(faulty: AsyncFaultyBucket):
    for lose, left in ((faulty.lose_request, b"x"), (faulty.lose_answer, None)):
        await faulty.put(KEY, b"x")
        lose("delete")
        with pytest.raises(StoreUnavailableError) as caught:
            await faulty.delete([KEY])
        assert caught.value.outcome == "unknown"
        assert await body_in(faulty) == left


async def test_the_lost_answer_may_have_been_a_refusal(faulty: AsyncFaultyBucket):
    await faulty.put(KEY, b"x")
    faulty.lose_answer("put")
    with pytest.raises(StoreUnavailableError) as caught:
        await faulty.put(KEY, b"y", condition=Absent())
    assert caught.value.outcome == "unknown"
    assert await body_in(faulty) == b"x"


async def test_a_read_without_an_answer_wrote_nothing(faulty: AsyncFaultyBucket):
    await faulty.put(KEY, b"x")
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
                await call()
            assert caught.value.outcome == "not written"
    assert faulty.pending == []


async def test_a_refusal_may_be_any_error(faulty: AsyncFaultyBucket, store: AsyncSessionStore[Any]):
    faulty.refuse("get", error=AccessDeniedError("denied", location=faulty.location))
    with pytest.raises(AccessDeniedError):
        await store.load("s")
    assert await store.load("s") is None


async def test_a_fault_is_for_the_call_that_it_names(faulty: AsyncFaultyBucket):
    faulty.refuse("put", key="*/traces/*", nth=2, times=2)
    for key, fails in (
        ("p/s.json", False),
        ("p/traces/1", False),
        ("p/traces/2", True),
        ("p/s.json", False),
        ("p/traces/3", True),
        ("p/traces/4", False),
    ):
        assert await faulty.head(key) is None
        answers = await at_once(partial(faulty.put, key, b"x"))
        assert isinstance(answers[0], StoreUnavailableError) == fails, key
        await faulty.delete([key])


async def test_a_fault_without_an_operation_is_for_any(faulty: AsyncFaultyBucket):
    faulty.refuse()
    with pytest.raises(StoreUnavailableError):
        await faulty.delete(["a", "b"])
    await faulty.delete(["a", "b"])


async def test_a_fault_without_an_end_lasts_until_it_is_healed(faulty: AsyncFaultyBucket):
    faulty.refuse("head", times=None)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            await faulty.head(KEY)
    faulty.heal()
    assert await faulty.head(KEY) is None


async def test_what_was_not_met_is_pending(faulty: AsyncFaultyBucket):
    faulty.refuse("head", nth=2)
    faulty.lose_answer(key="x*")
    await faulty.head(KEY)
    assert faulty.pending == ["refuse head of '*'", "lose the answer of any call of 'x*'"]
    with pytest.raises(StoreUnavailableError):
        await faulty.head(KEY)
    assert faulty.pending == ["lose the answer of any call of 'x*'"]


@pytest.mark.parametrize("wrong", [{"operation": "save"}, {"nth": 0}, {"times": 0}])
def test_a_fault_that_can_never_be_met_is_refused(faulty: AsyncFaultyBucket, wrong: dict[str, Any]):
    with pytest.raises(InvalidArgumentError):
        faulty.refuse(**wrong)


async def test_every_call_is_noted(faulty: AsyncFaultyBucket, store: AsyncSessionStore[Any]):
    await store.save(session_of("s"))
    await store.load("s")
    assert faulty.calls == [Call("put", (KEY,)), Call("get", (KEY,))]


async def test_a_held_request_is_done_after_its_release(faulty: AsyncFaultyBucket):
    seen: list[Any] = []

    async def look() -> None:
        await hold.reached()
        seen.append(await body_in(faulty))
        hold.release()

    with faulty.hold_request("put") as hold:
        await at_once(partial(faulty.put, KEY, b"x"), look)
    assert seen == [None]
    assert await body_in(faulty) == b"x"


async def test_a_held_answer_is_of_a_request_that_is_done(faulty: AsyncFaultyBucket):
    seen: list[Any] = []

    async def look() -> None:
        await hold.reached()
        seen.append(await body_in(faulty))
        hold.release()

    with faulty.hold_answer("put") as hold:
        answers = await at_once(partial(faulty.put, KEY, b"x"), look)
    assert seen == [b"x"]
    assert isinstance(answers[0], str)


async def test_a_hold_that_nothing_reaches_says_so(faulty: AsyncFaultyBucket):
    with (
        faulty.hold_request("put", key="never") as hold,
        pytest.raises(TimeoutError, match="hold put of 'never': no such call came"),
    ):
        await hold.reached(seconds=0)


async def test_several_faults_may_meet_one_call(faulty: AsyncFaultyBucket):
    faulty.interpose(partial(faulty.inner.put, KEY, b"theirs"), "put")
    faulty.lose_answer("put")
    with pytest.raises(StoreUnavailableError):
        await faulty.put(KEY, b"mine")
    assert await body_in(faulty) == b"mine"


async def test_the_fault_that_was_asked_for_first_is_the_outermost(faulty: AsyncFaultyBucket):
    faulty.lose_request("put")
    faulty.interpose(partial(faulty.inner.put, KEY, b"theirs"), "put")
    with pytest.raises(StoreUnavailableError):
        await faulty.put(KEY, b"mine")
    assert await body_in(faulty) is None


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
async def test_an_update_survives_a_fault_with_its_turn_written_once(
    faulty: AsyncFaultyBucket, session: str, fault: str, operation: Any, times: int
):
    store = AsyncSessionStore(faulty)
    getattr(faulty, fault)(operation, times=times)
    updated = await store.update(session, partial(say, text="mine"))
    assert faulty.pending == []
    assert texts_of(updated) == texts_of(await store.load(session)) == ["base", "mine"]
    say(updated, "and again")
    await store.save(updated)


async def test_an_update_survives_another_writer_in_between(
    faulty: AsyncFaultyBucket, store: AsyncSessionStore[Any], other: AsyncSessionStore[Any], session: str
):
    faulty.interpose(lambda: other.update(session, partial(say, text="theirs")), "put")
    await store.update(session, partial(say, text="mine"))
    assert faulty.pending == []
    assert texts_of(await store.load(session)) == ["base", "theirs", "mine"]


async def test_an_update_survives_a_lost_answer_and_another_writer_after_it(
    faulty: AsyncFaultyBucket, store: AsyncSessionStore[Any], other: AsyncSessionStore[Any], session: str
):
    faulty.lose_answer("put")
    faulty.interpose(lambda: other.update(session, partial(say, text="theirs")), "head")
    await store.update(session, partial(say, text="mine"))
    assert faulty.pending == []
    assert texts_of(await store.load(session)) == ["base", "mine", "theirs"]


async def test_an_update_survives_a_slow_put_that_another_writer_overtakes(
    faulty: AsyncFaultyBucket, store: AsyncSessionStore[Any], other: AsyncSessionStore[Any], session: str
):
    async def overtake() -> None:
        await hold.reached()
        await other.update(session, partial(say, text="theirs"))
        hold.release()

    with faulty.hold_request("put") as hold:
        await at_once(partial(store.update, session, partial(say, text="mine")), overtake)
    assert texts_of(await store.load(session)) == ["base", "theirs", "mine"]


async def test_a_plain_save_meets_the_conflict(
    faulty: AsyncFaultyBucket, store: AsyncSessionStore[Any], other: AsyncSessionStore[Any], session: str
):
    mine = await store.load(session)
    say(mine, "mine")
    faulty.interpose(lambda: other.update(session, partial(say, text="theirs")), "put")
    with pytest.raises(SessionConflictError) as caught:
        await store.save(mine)
    assert caught.value.outcome == "not written"
    assert texts_of(await other.load(session)) == ["base", "theirs"]


async def test_storage_that_stays_away_is_unavailable_and_the_turn_can_be_repeated(
    faulty: AsyncFaultyBucket, store: AsyncSessionStore[Any], session: str
):
    faulty.refuse("put", times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        await store.update(session, partial(say, text="mine"))
    assert caught.value.outcome == "not written"
    faulty.heal()
    await store.update(session, partial(say, text="mine"))
    assert texts_of(await store.load(session)) == ["base", "mine"]


async def test_the_store_repeats_as_often_as_over_s3_or_as_the_bucket_says(
    faulty: AsyncFaultyBucket, store: AsyncSessionStore[Any], session: str
):
    faulty.refuse("get", times=None)
    with pytest.raises(StoreUnavailableError):
        await store.load(session)
    assert faulty.calls == [Call("get", (KEY,))] * 5
    once = AsyncFaultyBucket(faulty.inner, patience=Patience())
    once.refuse("get")
    with pytest.raises(StoreUnavailableError):
        await AsyncSessionStore(once).load(session)
    assert once.calls == [Call("get", (KEY,))]


async def test_a_bucket_whose_conditions_are_off_or_probed_is_neither_probed_nor_trusted_wrongly():
    inner = AsyncMemoryBucket()
    for there, here in (("trusted", "trusted"), ("probe", "trusted"), ("off", "off")):
        inner.conditional_writes = there
        assert AsyncFaultyBucket(inner).conditional_writes == here


async def test_a_refused_condition_comes_through(faulty: AsyncFaultyBucket):
    await faulty.put(KEY, b"x")
    with pytest.raises(PreconditionFailedError):
        await faulty.put(KEY, b"y", condition=Absent())


async def test_a_link_is_that_of_the_bucket_within_and_no_request():
    faulty = AsyncFaultyBucket(AsyncS3Bucket("my-bucket", region="eu-west-1"))
    faulty.refuse(times=None)
    async with AsyncSessionStore(faulty) as store:
        link = await store.presign_file("s", "report.pdf", timedelta(hours=1))
    assert link.startswith("https://my-bucket.s3.eu-west-1.amazonaws.com/artifacts/s/files/report.pdf?")
    assert faulty.calls == []


async def test_a_bucket_without_links_has_none_behind_faults_either(store: AsyncSessionStore[Any]):
    with pytest.raises(NotSupportedError, match="no links"):
        await store.presign_file("s", "report.pdf", timedelta(hours=1))
