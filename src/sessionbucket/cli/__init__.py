"""The command line: ``sessionbucket ls``, ``show``, ``cp``, ``rm``, ``check`` and ``s3``."""

from __future__ import annotations

import io
import sys
from importlib.util import find_spec

_NEEDED = ("typer", "rich")


def main() -> int:
    """Run the command line with the arguments of the process, and return its exit code."""
    if any(find_spec(name) is None for name in _NEEDED):
        sys.stderr.write("error: the command line needs typer and rich: pip install 'sessionbucket[cli]'\n")
        return 1
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal with a small encoding shows escapes for other characters, and no command fails.
            stream.reconfigure(errors="backslashreplace")
    try:
        from sessionbucket.cli.app import run  # noqa: PLC0415 (needs the extra)

        return run()
    except KeyboardInterrupt:
        return 130


__all__ = ["main"]
