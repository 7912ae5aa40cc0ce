"""The resolutions of a lost response from a write history, against a model with the whole history."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sessionbucket import ObjectInfo
from sessionbucket._core.write_ids import (
    HISTORY_LENGTH,
    Resolution,
    history_metadata,
    new_write_history,
    resolve_outcome,
    written_version,
)


def found(history: tuple[str, ...], version: str = '"v"') -> ObjectInfo:
    metadata = history_metadata(history) if history else {}
    return ObjectInfo("k", 1, datetime.now(UTC), version, metadata=metadata)


def history_of(writes: int) -> tuple[str, ...]:
    """The history of the last of several writes, each built on the previous one."""
    history: tuple[str, ...] = ()
    for _ in range(writes):
        history = new_write_history(history)
    return history


@given(base=st.integers(1, 30), others=st.integers(0, 30), written=st.booleans())
def test_a_resolution_is_true_or_unknown(base: int, others: int, written: bool):
    before = history_of(base)
    mine = new_write_history(before)
    now = mine if written else before
    for _ in range(others):
        now = new_write_history(now)
    resolution = resolve_outcome(mine[0], before[0], found(now))
    if written:
        certain = Resolution.WRITTEN if others == 0 else Resolution.BUILT_UPON
        assert resolution is (certain if others < HISTORY_LENGTH else Resolution.UNKNOWN)
    elif others == 0:
        assert resolution is Resolution.UNCHANGED
    else:
        assert resolution is (Resolution.NOT_WRITTEN if others < HISTORY_LENGTH else Resolution.UNKNOWN)


def test_a_history_holds_sixteen_writes_and_fits_into_metadata():
    history = history_of(40)
    assert len(history) == HISTORY_LENGTH == 16
    entry = history_metadata(history)
    assert len(entry) == 1
    (name, value), *_ = entry.items()
    assert name.isalpha()
    assert len(name) + len(value) < 2048


def test_the_case_of_the_metadata_entry_does_not_matter():
    history = new_write_history()
    shouted = {name.upper(): value for name, value in history_metadata(history).items()}
    info = ObjectInfo("k", 1, datetime.now(UTC), '"v"', metadata=shouted)
    assert written_version(info).history == history


def test_the_etag_of_another_programs_object_replaces_its_write_id():
    foreign = written_version(found((), '"etag"')).history
    assert foreign == ("etag",)
    theirs, mine = new_write_history(foreign), new_write_history(foreign)
    assert resolve_outcome(mine[0], foreign[0], found((), '"etag"')) is Resolution.UNCHANGED
    assert resolve_outcome(mine[0], foreign[0], found(theirs)) is Resolution.NOT_WRITTEN
    assert resolve_outcome(mine[0], foreign[0], found(mine)) is Resolution.WRITTEN


def test_the_outcome_is_unknown_when_the_server_drops_metadata():
    mine = new_write_history(("base",))
    assert resolve_outcome(mine[0], "base", found((), '"new"')) is Resolution.UNKNOWN
    assert resolve_outcome(mine[0], None, found((), '"new"')) is Resolution.UNKNOWN


def test_a_create_that_finds_another_write_is_unknown_and_one_that_finds_nothing_is_sent_again():
    mine, theirs = new_write_history(), new_write_history()
    assert resolve_outcome(mine[0], None, found(theirs)) is Resolution.UNKNOWN
    assert resolve_outcome(mine[0], None, None) is Resolution.UNCHANGED
    assert resolve_outcome(mine[0], "base", None) is Resolution.UNKNOWN
