"""``ls``: the sessions of a store, from its listing alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import typer
from rich.table import Table
from rich.text import Text

from sessionbucket import PAGE_LIMIT, SessionInfo, SessionStore
from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import console, count_text, moment_text, one_line, size_text


def list_sessions(url: str | None, *, prefix: str, limit: int | None, as_json: bool) -> None:
    """Write the sessions: a table on a terminal, tab-separated lines into a pipe, or JSON."""
    with opened(url) as store:
        sessions = first_sessions(store, prefix, limit)
        if as_json:
            _write_json(sessions)
        elif console().is_terminal:
            _write_table(sessions, limit)
        else:
            for session in sessions:
                typer.echo(f"{one_line(session.id)}\t{session.size}\t{_iso(session)}")


def first_sessions(store: SessionStore, prefix: str, limit: int | None) -> Iterator[SessionInfo]:
    """The first ``limit`` sessions, or all of them, page by page."""
    cursor: str | None = None
    while limit is None or limit > 0:
        page = store.list_page(prefix=prefix, limit=min(PAGE_LIMIT, limit or PAGE_LIMIT), cursor=cursor)
        yield from page.sessions
        limit = None if limit is None else limit - len(page.sessions)
        cursor = page.next_cursor
        if cursor is None:
            return


def _write_json(sessions: Iterator[SessionInfo]) -> None:
    """Write one array with one session a line, page by page. An interrupted listing is no valid JSON."""
    separator = "[\n"
    for session in sessions:
        row = {
            "id": session.id,
            "size": session.size,
            "updated_at": _iso(session) or None,
            "version": session.version,
        }
        typer.echo(separator + json.dumps(row), nl=False)
        separator = ",\n"
    typer.echo("[]" if separator == "[\n" else "\n]")


def _write_table(sessions: Iterator[SessionInfo], limit: int | None) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("id", overflow="fold", style="bold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("updated (UTC)", no_wrap=True)
    total = 0
    for session in sessions:
        updated = moment_text(session.updated_at) if session.updated_at else ""
        table.add_row(Text(one_line(session.id)), size_text(session.size or 0), updated)
        total += session.size or 0
    out = console()
    if table.row_count:
        out.print(table)
    cut = f"; --limit {limit} is reached" if table.row_count == limit else ""
    out.print(f"{count_text(table.row_count, 'session')}, {size_text(total)}{cut}", style="dim")


def _iso(session: SessionInfo) -> str:
    return session.updated_at.isoformat() if session.updated_at else ""
