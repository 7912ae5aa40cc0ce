"""A pytest plugin for LangGraph's own tests: the saver in memory becomes ``BucketSaver``, in a new folder for each test.

The cases of its SQLite savers are left out, because they would run without ours.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sessionbucket import FileBucket, SessionStore
from sessionbucket.integrations.langgraph import BucketSaver

SQLITE = ("sqlite", "sqlite_aes", "sqlite_aio")


@contextmanager
def bucket_saver() -> Iterator[BucketSaver]:
    """A saver in a folder that lasts as long as the test. The tests share thread ids."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield BucketSaver(SessionStore(FileBucket(Path(folder), fsync=False)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    sys.modules["tests.conftest"]._checkpointer_memory = bucket_saver  # type: ignore[attr-defined]
    left_out = [item for item in items if _checkpointer(item) in SQLITE]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _checkpointer(item: Any) -> str | None:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return parameters.get("sync_checkpointer") or parameters.get("async_checkpointer")


@pytest.fixture(autouse=True)
def _delta_saver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With SWAP_IN_MODULES, the modules whose names have this prefix construct our saver, too."""
    prefix = os.environ.get("SWAP_IN_MODULES")
    name = request.module.__name__.rpartition(".")[2]
    if prefix and name.startswith(prefix) and hasattr(request.module, "InMemorySaver"):
        folder = Path(request.getfixturevalue("tmp_path"))
        numbers = iter(range(1000))
        make: Callable[..., BucketSaver] = lambda **options: BucketSaver(  # noqa: E731
            SessionStore(FileBucket(folder / str(next(numbers)), fsync=False)), **options
        )
        monkeypatch.setattr(request.module, "InMemorySaver", make)
