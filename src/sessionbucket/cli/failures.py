"""The end of a command that fails: one line on stderr, an exit code, and never a traceback."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from sessionbucket.cli.terminal import one_line
from sessionbucket.errors import SessionBucketError

FAILED = 1
MISUSED = 2
INTERRUPTED = 130

# Click's exceptions report wrong arguments. Newer releases of typer contain their own click,
# so their common base class is found through the one exception that every release exports.
_UsageError: type[Exception] = typer.BadParameter.__mro__[2]


def say_error(message: str, *, kind: str = "error") -> None:
    """Write the message to stderr, on one line."""
    with suppress(OSError):
        sys.stdout.flush()
    typer.echo(f"{kind}: {one_line(' '.join(message.split()))}", err=True)


class ReadableErrorsGroup(TyperGroup):
    """A group of commands with readable failures."""

    def main(self, args: Sequence[str] | None = None, **options: Any) -> Any:  # type: ignore[override]
        """Run a command, and end the process with its exit code."""
        options["standalone_mode"] = False
        try:
            code = super().main(args, **options)
        except _UsageError as error:
            say_error(_of_usage(error))
            code = MISUSED
        except typer.Abort:
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        with _readable(), warnings.catch_warnings():
            warnings.showwarning = _say_warning
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except SessionBucketError as error:
        say_error(str(error))
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        say_error("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _abandon_stdout()
        raise typer.Exit(FAILED) from None
    except OSError as error:
        say_error(f"the output cannot be written: {error.strerror or type(error).__name__}")
        _abandon_stdout()
        raise typer.Exit(FAILED) from None
    except (typer.Exit, typer.Abort, _UsageError):
        raise
    except Exception as error:  # noqa: BLE001 (its message could contain the text of a session)
        place = traceback.extract_tb(error.__traceback__)[-1]
        say_error(
            f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}; this is a bug, please report it"
        )
        raise typer.Exit(FAILED) from None


def _abandon_stdout() -> None:
    """Discard all further output, so that the interpreter does not fail over it at its exit."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say_warning(message: Warning | str, *_: object, **__: object) -> None:
    say_error(str(message), kind="warning")


def _of_usage(error: Exception) -> str:
    tell: Any = getattr(error, "format_message", None)
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context else "sessionbucket"
    return f"{tell() if tell else error} (see {path} --help)"
