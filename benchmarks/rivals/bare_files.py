"""A JSON file written as carefully as a save must be: a temporary file, fsync, rename, and fsync of the folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

NAME = "bare fsync and rename"


def save(path: Path, document: dict[str, Any]) -> None:
    """Replace the file, so that after a crash there is the old one or the new one."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(json.dumps(document).encode())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(path: Path) -> dict[str, Any]:
    """Read it."""
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document
