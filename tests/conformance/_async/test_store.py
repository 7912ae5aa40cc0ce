"""The store: every kind of bucket gives one that passes the suite that the kit has for a user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance._async.conftest import Opener
from sessionbucket import AsyncSessionStore
from sessionbucket.testing.conformance import AsyncStoreConformance


class TestStore(AsyncStoreConformance):
    @pytest.fixture
    def store_factory(self, opener: Opener) -> Callable[[], AsyncSessionStore[Any]]:
        self.race_rounds = 2 if opener.location.raw else 10
        return opener.store
