"""Chromium, driven by Playwright: the browser of the system, since none is downloaded."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from sessionbucket import SessionStore
from sessionbucket.web.app import viewer

NAMES = ("chromium", "chromium-browser", "google-chrome")
AXE = Path(__file__).parents[2] / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
"""The checker of accessibility that ``make axe`` installs."""


def missing(reason: str) -> Any:
    """Skip the test, but fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def find_chromium() -> str:
    """The path of the browser."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or missing("no Chromium is installed: apt-get install chromium")


def find_axe() -> str:
    """The code of axe-core."""
    return (
        AXE.read_text() if AXE.exists() else missing("axe-core is not installed: make axe (which needs npm)")
    )


@contextmanager
def served(store: SessionStore[Any]) -> Iterator[str]:
    """The URL of a viewer of the store that a browser can open, once."""
    guard = viewer(store)
    options = uvicorn.Config(guard, log_level="critical", access_log=False, lifespan="off")
    server = uvicorn.Server(options)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/?token={guard.token}"
        finally:
            server.should_exit = True
            thread.join()
