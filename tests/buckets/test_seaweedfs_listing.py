"""SeaweedFS sorts its listings differently from S3."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.locations import SEAWEEDFS, Location
from sessionbucket import open_store


@pytest.fixture
def seaweed_location(location_of: Callable[[str], Location]) -> Location:
    return location_of(SEAWEEDFS)


def test_sessions_around_a_folder_are_listed_once(seaweed_location: Location):
    """SeaweedFS lists the folder ``artifacts/`` before ``artifacts-1.json``, S3 after it."""
    names = [f"artifacts-{number:04d}" for number in range(1010)]
    seaweed_location.fill([f"{name}.json" for name in names])
    seaweed_location.write("artifacts/artifacts-0001/artifacts.json", b"x")
    with open_store(seaweed_location.url()) as store:
        assert store.list() == names
        page = store.list_page(limit=1000)
        rest = store.list_page(limit=1000, cursor=page.next_cursor)
    assert [info.id for info in (*page.sessions, *rest.sessions)] == names
