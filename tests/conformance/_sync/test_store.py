"""The store: every kind of bucket gives one that passes the suite that the kit has for a user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance._sync.conftest import Opener
from sessionbucket import SessionStore
from sessionbucket.testing.conformance import StoreConformance


class TestStore(StoreConformance):
    @pytest.fixture
    def store_factory(self, opener: Opener) -> Callable[[], SessionStore[Any]]:
        self.race_rounds = 2 if opener.location.raw else 10
        return opener.store
