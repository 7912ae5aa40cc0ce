"""``history``, ``restore`` and ``diff``: the versions of a session."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from sessionbucket import SessionVersion
from sessionbucket.cli.failures import FAILED, say_error
from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import console, count_text, moment_text, one_line, size_text
from sessionbucket.errors import shorten


def list_versions(url: str | None, id: str, *, as_json: bool) -> None:
    """Write the versions: a table on a terminal, tab-separated lines into a pipe, or JSON.

    Raises ``typer.Exit`` when there are none.
    """
    with opened(url) as store:
        versions = list(store.history.versions(id))
        if not versions:
            say_error(f"session {shorten(id)} has no versions in {store.location}")
            raise typer.Exit(FAILED)
    if as_json:
        typer.echo(json.dumps([_row(version) for version in versions], indent=2))
    elif console().is_terminal:
        _write_table(versions)
    else:
        for version in versions:
            typer.echo(
                f"{one_line(version.version_id)}\t{version.saved_at.isoformat()}\t{version.size}\t{_state(version)}"
            )


def _row(version: SessionVersion) -> dict[str, Any]:
    return {**version._asdict(), "saved_at": version.saved_at.isoformat()}


def _state(version: SessionVersion) -> str:
    if version.is_delete:
        return "deleted"
    return "current" if version.is_current else ""


def _write_table(versions: list[SessionVersion]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("version", overflow="fold", style="bold")
    table.add_column("saved (UTC)", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("")
    for version in versions:
        size = "" if version.is_delete else size_text(version.size)
        table.add_row(
            Text(one_line(version.version_id)), moment_text(version.saved_at), size, _state(version)
        )
    console().print(table)


def restore_version(url: str | None, id: str, version: str | None) -> None:
    """Save an earlier version as a new one; without ``version`` the newest whose contents differ."""
    with opened(url) as store:
        history = store.history
        session = history.undo(id) if version is None else history.restore(id, version)
    typer.echo(f"restored {one_line(id)} ({count_text(len(session.messages), 'message')})")


def show_diff(url: str | None, id: str, before: str, after: str | None) -> None:
    """Write the dropped messages with ``-``, the added ones with ``+``, and each other change on a line."""
    with opened(url) as store:
        found = store.history.diff(id, before, after)
    typer.echo(f"  {count_text(found.common, 'message')} in common")
    for sign, messages in (("-", found.dropped), ("+", found.added)):
        for message in messages:
            typer.echo(f"{sign} {one_line(json.dumps(message, ensure_ascii=False))}")
    for path, (old, new) in found.changed.items():
        values = f"{json.dumps(old, ensure_ascii=False)} -> {json.dumps(new, ensure_ascii=False)}"
        typer.echo(f"~ {one_line(path)}: {one_line(values)}")
