"""What a chain of write ids tells, against a model that knows the whole history."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sessionbucket import ObjectInfo
from sessionbucket._core.write_ids import LENGTH, Verdict, chain_of, judge, new_chain, to_metadata


def found(chain: tuple[str, ...], version: str = '"v"') -> ObjectInfo:
    metadata = to_metadata(chain) if chain else {}
    return ObjectInfo("k", 1, datetime.now(UTC), version, metadata=metadata)


def history(writes: int) -> list[tuple[str, ...]]:
    """The chain of each of so many writes, each built on the one before."""
    chains: list[tuple[str, ...]] = [()]
    for _ in range(writes):
        chains.append(new_chain(chains[-1]))
    return chains[1:]


@given(base=st.integers(1, 30), others=st.integers(0, 30), written=st.booleans())
def test_a_verdict_is_what_happened_or_none(base: int, others: int, written: bool):
    before = history(base)[-1]
    mine = new_chain(before)
    now = mine if written else before
    for _ in range(others):
        now = new_chain(now)
    verdict = judge(mine[0], before[0], found(now))
    if written:
        certain = Verdict.WRITTEN if others == 0 else Verdict.BUILT_UPON
        assert verdict is (certain if others < LENGTH else Verdict.UNKNOWN)
    elif others == 0:
        assert verdict is Verdict.UNCHANGED
    else:
        assert verdict is (Verdict.NOT_WRITTEN if others < LENGTH else Verdict.UNKNOWN)


def test_a_chain_remembers_sixteen_writes_and_fits_into_metadata():
    chain = history(40)[-1]
    assert len(chain) == LENGTH == 16
    entry = to_metadata(chain)
    assert len(entry) == 1
    (name, value), *_ = entry.items()
    assert name.isalpha()
    assert len(name) + len(value) < 2048


def test_the_case_of_the_metadata_entry_does_not_matter():
    chain = new_chain(())
    shouted = {name.upper(): value for name, value in to_metadata(chain).items()}
    assert chain_of(ObjectInfo("k", 1, datetime.now(UTC), '"v"', metadata=shouted)) == chain


def test_the_etag_of_another_programs_object_stands_in_for_its_id():
    foreign = chain_of(found((), '"etag"'))
    assert foreign == ("etag",)
    theirs, mine = new_chain(foreign), new_chain(foreign)
    assert judge(mine[0], foreign[0], found((), '"etag"')) is Verdict.UNCHANGED
    assert judge(mine[0], foreign[0], found(theirs)) is Verdict.NOT_WRITTEN
    assert judge(mine[0], foreign[0], found(mine)) is Verdict.WRITTEN


def test_nothing_is_claimed_where_metadata_is_dropped():
    mine = new_chain(("base",))
    assert judge(mine[0], "base", found((), '"new"')) is Verdict.UNKNOWN
    assert judge(mine[0], None, found((), '"new"')) is Verdict.UNKNOWN


def test_a_create_that_finds_another_is_unknown_and_one_that_finds_nothing_goes_on():
    mine, theirs = new_chain(()), new_chain(())
    assert judge(mine[0], None, found(theirs)) is Verdict.UNKNOWN
    assert judge(mine[0], None, None) is Verdict.UNCHANGED
    assert judge(mine[0], "base", None) is Verdict.UNKNOWN
