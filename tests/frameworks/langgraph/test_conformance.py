"""LangGraph's own conformance suite for checkpointers, on each kind of location."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate

from conformance.locations import Location, unique_name
from sessionbucket.integrations.langgraph import BucketSaver

TESTS = 81


@pytest.mark.parametrize(
    "kind", ["memory", "file", "moto", "moto+obstore", "seaweedfs", "seaweedfs+obstore", "azurite+obstore"]
)
async def test_every_test_of_the_suite_passes(kind: str, location_of: Callable[[str], Location]):
    location = location_of(kind)

    @checkpointer_test(name=kind)
    async def savers() -> AsyncGenerator[BucketSaver, None]:
        saver = BucketSaver(f"memory://{unique_name()}" if kind == "memory" else location.url())
        yield saver
        await saver.aclose()

    report = await validate(savers)
    results = report.results.values()
    assert [failure for each in results for failure in each.failures or ()] == []
    assert sum(each.tests_passed for each in results) == TESTS
