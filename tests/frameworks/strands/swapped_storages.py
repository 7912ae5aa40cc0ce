"""A pytest plugin for the SDK's own tests: its storages and its mocked repository are ours, in memory."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import Any
from uuid import uuid4

import strands.storage

from sessionbucket.integrations.strands import BucketSessionRepository, BucketStorage


class InMemoryStorage(BucketStorage):
    def __init__(self, **options: Any) -> None:
        super().__init__(f"memory://{uuid4().hex}", **options)


class LocalFileStorage(BucketStorage):
    """All of one folder are one store."""

    def __init__(self, base_dir: str = "default", **options: Any) -> None:
        name = hashlib.sha256(os.path.normpath(base_dir).encode()).hexdigest()
        super().__init__(f"memory://{name}", **options)


class MockedSessionRepository(BucketSessionRepository):
    def __init__(self) -> None:
        super().__init__(f"memory://{uuid4().hex}")


strands.storage.InMemoryStorage = InMemoryStorage  # type: ignore[assignment,misc]
strands.storage.LocalFileStorage = LocalFileStorage  # type: ignore[assignment,misc]


def pytest_collectstart() -> None:
    mocked = sys.modules.get("tests.fixtures.mock_session_repository")
    if mocked is None:
        import tests.fixtures.mock_session_repository as mocked
    mocked.MockedSessionRepository = MockedSessionRepository  # type: ignore[attr-defined]
