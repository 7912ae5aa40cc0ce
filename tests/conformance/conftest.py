from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.locations import ENGINES, Location


@pytest.fixture(params=ENGINES)
def location(request: pytest.FixtureRequest, location_of: Callable[[str], Location]) -> Location:
    """A new, empty location of every kind in turn."""
    return location_of(request.param)
