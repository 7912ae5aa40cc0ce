"""``purge`` and ``redact``: erasing for good, with a report. Both change nothing until they are confirmed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import typer

from sessionbucket import EraseIncompleteError, ErasureReport, InvalidArgumentError, Kept
from sessionbucket.cli.failures import FAILED, say_error
from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import count_text, one_line, size_text


def purge_session(
    url: str | None, id: str, *, confirmed: bool, report: Path | None, bypass_governance: bool
) -> None:
    """Erase the session once confirmed. Raises ``typer.Exit`` when something was kept."""
    with opened(url) as store:
        _erase(
            lambda: store.purge(id, bypass_governance=bypass_governance, dry_run=not confirmed),
            f"purge {one_line(id)}",
            confirmed=confirmed,
            report=report,
        )


def redact_session(
    url: str | None,
    id: str,
    pattern: str,
    replacement: str,
    *,
    files: str,
    confirmed: bool,
    report: Path | None,
    bypass_governance: bool,
) -> None:
    """Replace the text once confirmed. Raises ``InvalidArgumentError`` for a bad pattern, and ``typer.Exit`` when something was kept."""
    try:
        text = re.compile(pattern)
    except re.error as error:
        raise InvalidArgumentError(f"--pattern is refused: it is no regular expression ({error})") from None
    how = cast("Any", files)

    def change(value: str) -> str:
        return text.sub(lambda _: replacement, value)

    with opened(url) as store:
        _erase(
            lambda: store.redact(
                id, change, files=how, bypass_governance=bypass_governance, dry_run=not confirmed
            ),
            f"redact {one_line(id)}",
            confirmed=confirmed,
            report=report,
        )


def _erase(erase: Callable[[], ErasureReport], what: str, *, confirmed: bool, report: Path | None) -> None:
    try:
        done = erase()
    except EraseIncompleteError as error:
        done = error.report
    if report is not None:
        _write_report(done, report)
    would = "" if confirmed else "would "
    typer.echo(
        f"{what}: {would}erase {count_text(done.erased_versions, 'version')} ({size_text(done.erased_bytes)}) of "
        f"{count_text(len(done.keys), 'key')}, {count_text(done.uploads_aborted, 'unfinished upload')}"
    )
    for key in done.recreated:
        typer.echo(f"written anew meanwhile, and left: {one_line(key)}")
    for each in done.not_covered:
        typer.echo(f"not covered: {one_line(each)}")
    if not confirmed:
        typer.echo("nothing was changed; pass --yes to erase it")
    for kept in done.kept:
        say_error(_kept_text(kept))
    if done.kept:
        raise typer.Exit(FAILED)


def _kept_text(kept: Kept) -> str:
    until = f", until {kept.until.isoformat()}" if kept.until else ""
    return f"{kept.key} remains in version {kept.version_id}: {kept.reason}{until}"


def _write_report(done: ErasureReport, path: Path) -> None:
    members = {**done._asdict(), "kept": [kept._asdict() for kept in done.kept]}
    text = json.dumps(members, indent=2, default=_iso)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        say_error(f"the report cannot be written: {error.strerror}; it follows")
        typer.echo(text)


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
