"""Output to terminals and pipes: plain in a pipe, and never with control characters from a session."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

# Escape sequences and the like could repaint the terminal; the marks of writing direction could reorder a line.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LINE_CONTROLS = re.compile(_CONTROLS.pattern + r"|[\t\n]")


def visible(text: str) -> str:
    """The text with every control character except tabs and line ends as an escape."""
    return _CONTROLS.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The text on one line, with every control character as an escape."""
    return _LINE_CONTROLS.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr; it uses colours only on a terminal."""
    from rich.console import Console  # noqa: PLC0415 (not needed for --version, nor for --json)

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def progress_bar() -> Progress:
    """A bar with the finished items and the time on stderr. Without a terminal it writes nothing, and it vanishes at its end."""
    from rich.progress import (  # noqa: PLC0415 (for few commands)
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    out = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )


def size_text(size: int) -> str:
    """A readable number of bytes: ``24.7 kB``."""
    from rich.filesize import decimal  # noqa: PLC0415

    return decimal(size)


def moment_text(moment: datetime) -> str:
    """A readable date and time, in UTC to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def unix_text(seconds: int) -> str:
    """Unix seconds as a date and time in UTC, or as the number when no calendar contains it."""
    try:
        return moment_text(datetime.fromtimestamp(seconds, UTC)) + " UTC"
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def count_text(count: int, singular: str, plural: str | None = None) -> str:
    """``1 file``, ``2 files``."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
