"""The store: concurrent first saves share one probe of the server."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from both_sides import SyncSide, at_once
from conformance.samples import session_of
from sessionbucket import RetryConfig, SessionStore, StoreUnavailableError
from sessionbucket.testing import FaultyBucket
from testing.capabilities import with_capabilities

PROBE = "*/probe/*"
PUTS_OF_A_PROBE = 4 + 3 * 4
"""Four in turn, and three rounds of four writers that race."""
IDS = [f"s{number}" for number in range(8)]


@pytest.fixture
def faulty(side: SyncSide) -> FaultyBucket:
    return side.make("FaultyBucket", side.make("MemoryBucket"), retry=RetryConfig(attempts=2, seconds=5))


@pytest.fixture
def store(side: SyncSide, faulty: FaultyBucket) -> SessionStore[Any]:
    """A store that probes first, with the faults."""
    return side.store(with_capabilities(side, faulty, conditional_writes="probe"))


def probing_puts(faulty: FaultyBucket) -> int:
    return sum(call.operation == "put" and "/probe/" in call.keys[0] for call in faulty.calls)


def test_first_saves_at_once_share_one_probe(faulty: FaultyBucket, store: SessionStore[Any]):
    pause = faulty.pause_before("put", key=PROBE)

    def release() -> None:
        pause.reached()
        pause.release()

    assert at_once([release, *(partial(store.save, session_of(id)) for id in IDS)]) == [None] * 9
    assert probing_puts(faulty) == PUTS_OF_A_PROBE
    assert store.list() == IDS


@pytest.mark.slow
def test_a_probe_without_a_response_fails_every_save_that_shares_it_and_the_next_save_probes_again(
    faulty: FaultyBucket, store: SessionStore[Any]
):
    pause = faulty.pause_before("put", key=PROBE)
    faulty.fail(key=PROBE, times=None)

    def release() -> None:
        pause.reached()
        pause.release()

    _, *errors = at_once([release, *(partial(store.save, session_of(id)) for id in IDS)])
    assert {type(error) for error in errors} == {StoreUnavailableError}
    assert probing_puts(faulty) < len(IDS)
    assert store.list() == []
    faulty.clear_faults()
    store.save(session_of("s"))
    assert store.list() == ["s"]


def test_the_outcome_after_a_probe_that_cannot_clean_up_is_not_written(
    faulty: FaultyBucket, store: SessionStore[Any]
):
    faulty.drop_response("delete", key=PROBE, times=None)
    with pytest.raises(StoreUnavailableError) as caught:
        store.save(session_of("s"))
    assert caught.value.outcome == "not written"
