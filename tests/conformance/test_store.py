"""The store: on every kind of bucket it passes the suite that the kit has for a user's own store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from both_sides import SyncSide
from conformance.conftest import NATIVE_ASYNC, Clients, Opener
from conformance.locations import Location
from sessionbucket import AsyncSessionStore, SessionStore
from sessionbucket.testing.conformance import AsyncStoreConformance, StoreConformance


def race_rounds(location: Location) -> int:
    return 2 if location.raw else 10


class TestStore(StoreConformance):
    @pytest.fixture
    def store_factory(
        self, location: Location, sides: dict[str, SyncSide], clients: Clients
    ) -> Callable[[], SessionStore[Any]]:
        self.race_rounds = race_rounds(location)
        return Opener(sides["sync"], location, clients).store


@pytest.mark.asyncio(loop_scope="module")
class TestAsyncStore(AsyncStoreConformance):
    @pytest.fixture
    def store_factory(
        self, location: Location, native_clients: Clients
    ) -> Callable[[], AsyncSessionStore[Any]]:
        self.race_rounds = race_rounds(location)
        return Opener(NATIVE_ASYNC, location, native_clients).store
