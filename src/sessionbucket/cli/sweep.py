"""``sweep``: deleting what has not changed for long, after showing it."""

from __future__ import annotations

import re
from datetime import timedelta

import typer

from sessionbucket import InvalidArgumentError, Retention
from sessionbucket.cli.failures import FAILED, say_error
from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import count_text, one_line

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"([1-9][0-9]{0,5})([hdw])")


def sweep_store(url: str | None, *, prefix: str, ages: dict[str, str | None], confirmed: bool) -> None:
    """Delete the objects that are older than the given ages, or show them unless ``confirmed``.

    Raises ``InvalidArgumentError`` for an age that is none, and when no age is given; ``typer.Exit`` when an object has changed.
    """
    times = {name: _age(name, text) for name, text in ages.items() if text is not None}
    if not times:
        raise InvalidArgumentError("nothing is to be swept: pass an age such as --idle 90d or --traces 14d")
    counts = {"due": 0, "deleted": 0, "changed": 0, "kept": 0}
    with opened(url) as store:
        for swept in store.retention.sweep(Retention(**times), prefix=prefix, dry_run=not confirmed):
            counts[swept.outcome] += 1
            typer.echo(f"{swept.outcome}\t{one_line(swept.key)}\t{swept.reason}")
    if not confirmed:
        typer.echo(
            f"{count_text(counts['due'], 'object')} would be deleted; pass --yes to delete them", err=True
        )
    if counts["changed"]:
        say_error(f"{count_text(counts['changed'], 'object')} changed meanwhile and stayed")
    if counts["kept"]:
        say_error(f"{count_text(counts['kept'], 'version')} could not be erased")
    if counts["changed"] or counts["kept"]:
        raise typer.Exit(FAILED)


def _age(name: str, text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    if found is None:
        raise InvalidArgumentError(
            f"--{name} {text!r} is refused: it must be a number and h, d or w (hours, days, weeks), such as 90d"
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
