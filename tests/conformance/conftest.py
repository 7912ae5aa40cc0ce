from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.locations import AZURITE, ENGINES, OBSTORE, Location

ON_AZURE = {
    f"test_{subject}"
    for subject in (
        "bucket",
        "bucket_listing",
        "bucket_objects",
        "bucket_streams",
        "conflicts",
        "files",
        "health",
        "listing",
        "sessions",
    )
}
"""What runs on Azure's protocol, too: what a server takes part in most. The rest would take as long again, and find no more."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every kind of location for each test that has one, where it does not choose its own."""
    chosen = any(mark.args[0] == "location" for mark in metafunc.definition.iter_markers("parametrize"))
    if "location" in metafunc.fixturenames and not chosen:
        on_azure = metafunc.module.__name__.rpartition(".")[2] in ON_AZURE
        kinds = (*ENGINES, f"{AZURITE}+{OBSTORE}") if on_azure else ENGINES
        metafunc.parametrize("location", kinds, indirect=True)


@pytest.fixture
def location(request: pytest.FixtureRequest, location_of: Callable[[str], Location]) -> Location:
    """A new, empty location of every kind in turn."""
    return location_of(request.param)
