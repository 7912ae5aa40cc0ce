"""The store: first saves that meet share one probe of the server."""

from __future__ import annotations

from functools import partial

import pytest

from conformance.samples import session_of
from sessionbucket import AsyncMemoryBucket, AsyncSessionStore, Patience, StoreUnavailableError
from sessionbucket.testing import AsyncFaultyBucket
from sessionbucket.testing._concurrency.asyncio_ import at_once

PROBE = "*/probe/*"
PUTS_OF_A_PROBE = 4 + 3 * 4
"""Four in turn, and three rounds of four who race."""
IDS = [f"s{number}" for number in range(8)]


@pytest.fixture
def faulty() -> AsyncFaultyBucket:
    faulty = AsyncFaultyBucket(AsyncMemoryBucket(), patience=Patience(attempts=2, seconds=5))
    faulty.conditional_writes = "probe"
    return faulty


def probing_puts(faulty: AsyncFaultyBucket) -> int:
    return sum(call.operation == "put" and "/probe/" in call.keys[0] for call in faulty.calls)


async def test_first_saves_at_once_share_one_probe(faulty: AsyncFaultyBucket):
    store = AsyncSessionStore(faulty)
    hold = faulty.hold_request("put", key=PROBE)

    async def release() -> None:
        await hold.reached()
        hold.release()

    assert await at_once(release, *(partial(store.save, session_of(id)) for id in IDS)) == [None] * 9
    assert probing_puts(faulty) == PUTS_OF_A_PROBE
    assert await store.list() == IDS


async def test_a_probe_without_an_answer_fails_all_who_share_it_and_the_next_save_probes_anew(
    faulty: AsyncFaultyBucket,
):
    store = AsyncSessionStore(faulty)
    hold = faulty.hold_request("put", key=PROBE)
    faulty.refuse(key=PROBE, times=None)

    async def release() -> None:
        await hold.reached()
        hold.release()

    _, *errors = await at_once(release, *(partial(store.save, session_of(id)) for id in IDS))
    assert {type(error) for error in errors} == {StoreUnavailableError}
    assert probing_puts(faulty) < len(IDS)
    assert await store.list() == []
    faulty.heal()
    await store.save(session_of("s"))
    assert await store.list() == ["s"]


async def test_a_probe_that_cannot_clean_up_says_that_nothing_was_saved(faulty: AsyncFaultyBucket):
    faulty.lose_answer("delete", key=PROBE, times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        await AsyncSessionStore(faulty).save(session_of("s"))
    assert caught.value.outcome == "not written"
