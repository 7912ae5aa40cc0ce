"""A JSON file, written as safely as a save: a temporary file, fsync, rename, and fsync of the folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

NAME = "bare fsync and rename"


def save(path: Path, document: dict[str, Any]) -> None:
    """Replace the file. After a crash, the old or the new file exists."""
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
    """Read the file."""
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document
