"""``ls --kind``: the threads, sessions and conversations of an integration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

import typer
from rich.table import Table
from rich.text import Text

from sessionbucket import IntegrationInfo
from sessionbucket.cli.stores import opened_for_any_model
from sessionbucket.cli.terminal import console, count_text, moment_text, one_line, size_text


def list_kind(url: str | None, kind: str, *, prefix: str, limit: int | None, as_json: bool) -> None:
    """Write the items of an integration whose names start with the prefix: a table, tab-separated lines into a pipe, or JSON."""
    with opened_for_any_model(url) as store:
        chosen = (info for info in store.iter_integration(kind) if _text(info).startswith(prefix))
        items = islice(chosen, limit)
        if as_json:
            _write_json(items)
        elif console().is_terminal:
            _write_table(items, kind)
        else:
            for info in items:
                typer.echo(
                    f"{one_line(_text(info))}\t{info.objects}\t{info.size}\t{info.updated_at.isoformat()}"
                )


def _text(info: IntegrationInfo) -> str:
    return "/".join(info.names)


def _write_json(items: Iterator[IntegrationInfo]) -> None:
    """Write one array with one item a line, page by page. An interrupted listing is no valid JSON."""
    separator = "[\n"
    for info in items:
        row = {**info._asdict(), "updated_at": info.updated_at.isoformat()}
        typer.echo(separator + json.dumps(row), nl=False)
        separator = ",\n"
    typer.echo("[]" if separator == "[\n" else "\n]")


def _write_table(items: Iterator[IntegrationInfo], kind: str) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(kind, overflow="fold", style="bold")
    table.add_column("objects", justify="right", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("updated (UTC)", no_wrap=True)
    total = 0
    for info in items:
        size, updated = size_text(info.size), moment_text(info.updated_at)
        table.add_row(Text(one_line(_text(info))), f"{info.objects:,}", size, updated)
        total += info.size
    out = console()
    if table.row_count:
        out.print(table)
    out.print(f"{count_text(table.row_count, 'item')}, {size_text(total)}", style="dim")
