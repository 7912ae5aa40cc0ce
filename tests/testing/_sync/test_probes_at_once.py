"""The store: first saves that meet share one probe of the server."""

from __future__ import annotations

from functools import partial

import pytest

from conformance.samples import session_of
from sessionbucket import MemoryBucket, Patience, SessionStore, StoreUnavailableError
from sessionbucket.testing import FaultyBucket
from sessionbucket.testing._concurrency.threads import at_once

PROBE = "*/probe/*"
PUTS_OF_A_PROBE = 4 + 3 * 4
"""Four in turn, and three rounds of four who race."""
IDS = [f"s{number}" for number in range(8)]


@pytest.fixture
def faulty() -> FaultyBucket:
    faulty = FaultyBucket(MemoryBucket(), patience=Patience(attempts=2, seconds=5))
    faulty.conditional_writes = "probe"
    return faulty


def probing_puts(faulty: FaultyBucket) -> int:
    return sum(call.operation == "put" and "/probe/" in call.keys[0] for call in faulty.calls)


def test_first_saves_at_once_share_one_probe(faulty: FaultyBucket):
    store = SessionStore(faulty)
    hold = faulty.hold_request("put", key=PROBE)

    def release() -> None:
        hold.reached()
        hold.release()

    assert at_once(release, *(partial(store.save, session_of(id)) for id in IDS)) == [None] * 9
    assert probing_puts(faulty) == PUTS_OF_A_PROBE
    assert store.list() == IDS


def test_a_probe_without_an_answer_fails_all_who_share_it_and_the_next_save_probes_anew(
    faulty: FaultyBucket,
):
    store = SessionStore(faulty)
    hold = faulty.hold_request("put", key=PROBE)
    faulty.refuse(key=PROBE, times=None)

    def release() -> None:
        hold.reached()
        hold.release()

    _, *errors = at_once(release, *(partial(store.save, session_of(id)) for id in IDS))
    assert {type(error) for error in errors} == {StoreUnavailableError}
    assert probing_puts(faulty) < len(IDS)
    assert store.list() == []
    faulty.heal()
    store.save(session_of("s"))
    assert store.list() == ["s"]


def test_a_probe_that_cannot_clean_up_says_that_nothing_was_saved(faulty: FaultyBucket):
    faulty.lose_answer("delete", key=PROBE, times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        SessionStore(faulty).save(session_of("s"))
    assert caught.value.outcome == "not written"
