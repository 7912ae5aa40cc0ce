"""Stores in folders, and the command line in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command_line import Command
from sessionbucket import SessionStore, open_store


@pytest.fixture
def run() -> Command:
    return Command()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SESSIONBUCKET_URL", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return (tmp_path / "store").as_uri()


@pytest.fixture
def store(url: str) -> Iterator[SessionStore]:
    with open_store(url) as store:
        yield store


@pytest.fixture
def other_url(tmp_path: Path) -> str:
    return (tmp_path / "other").as_uri()


@pytest.fixture
def other(other_url: str) -> Iterator[SessionStore]:
    with open_store(other_url) as store:
        yield store
