"""``ls --long``: what the sessions of a store contain, from their summaries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Literal

import typer
from rich.table import Table
from rich.text import Text

from sessionbucket import (
    Conversation,
    InvalidArgumentError,
    NotSupportedError,
    SessionCorruptedError,
    SessionStore,
    SessionSummary,
    SessionTooLargeError,
    SummaryMode,
)
from sessionbucket.cli.any_session import is_conversation
from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import console, count_text, one_line, unix_text

_SORT_FIELDS = {
    "id": "id",
    "title": "title",
    "owner": "owner",
    "created": "created_at",
    "updated": "updated_at",
    "messages": "messages",
    "tokens": "tokens",
    "cost": "cost",
}
_COLUMNS = (
    "id",
    "title",
    "owner",
    "tags",
    "state",
    "model",
    "messages",
    "tokens",
    "cost ($)",
    "updated (UTC)",
)
_NUMBERS = ("messages", "tokens", "cost ($)")


def list_summaries(  # noqa: PLR0917
    url: str | None,
    prefix: str,
    limit: int | None,
    owner: str | None,
    tag: str | None,
    sort: str | None,
    has_titles: bool,
    as_json: bool,
) -> None:
    """Write the summaries of the sessions with this owner and tag: a table on a terminal, lines into a pipe, or JSON.

    Raises ``InvalidArgumentError`` for an unknown field in ``sort``.
    """
    order = _order(sort) if sort else None

    def is_wanted(summary: SessionSummary) -> bool:
        return (owner is None or summary.owner == owner) and (tag is None or tag in summary.tags)

    where = None if owner is None and tag is None else is_wanted
    summaries: SummaryMode = "full" if has_titles else "no-text"
    with opened(url, summaries=summaries) as of_session_data:
        store: SessionStore[Any] = of_session_data
        if _begins_with_a_conversation(store, prefix):
            store = SessionStore(store.bucket, store.prefix, model=Conversation, summaries=summaries)
        found: Iterator[SessionSummary]
        if order:
            found = islice(order(store.summaries(prefix=prefix, where=where)), limit)
        else:
            found = _first(store, prefix, where, limit)
        if as_json:
            _write_json(found)
        elif console().is_terminal:
            _write_table(found)
        else:
            for summary in found:
                typer.echo("\t".join(map(one_line, _cells(summary))))


def _begins_with_a_conversation(store: SessionStore[Any], prefix: str) -> bool:
    """Whether the first session is a ``Conversation``. A store has sessions of one model."""
    try:
        for info in store.list_page(prefix=prefix, limit=1).sessions:
            found = store.raw.get(info.id)
            return found is not None and is_conversation(found.body)
    except (SessionCorruptedError, SessionTooLargeError, NotSupportedError):
        pass
    return False


def _first(
    store: SessionStore[Any], prefix: str, where: Callable[[SessionSummary], bool] | None, limit: int | None
) -> Iterator[SessionSummary]:
    if limit is None:
        yield from store.summaries(prefix=prefix, where=where)
    else:
        yield from store.summary_page(prefix=prefix, limit=limit, where=where).summaries


def _order(sort: str) -> Callable[[Iterator[SessionSummary]], list[SessionSummary]]:
    """The function that sorts by the field; a sign before it reverses the order. Sessions without a value come last."""
    field = _SORT_FIELDS.get(sort.removeprefix("-"))
    if field is None:
        raise InvalidArgumentError(
            f"--sort {sort!r} is refused: it must be one of {', '.join(_SORT_FIELDS)}, with - before it for the reverse order"
        )

    def value(summary: SessionSummary) -> Any:
        return getattr(summary, field)

    def in_order(summaries: Iterator[SessionSummary]) -> list[SessionSummary]:
        every = list(summaries)
        with_value = [summary for summary in every if value(summary) is not None]
        with_value.sort(key=value, reverse=sort.startswith("-"))
        return with_value + [summary for summary in every if value(summary) is None]

    return in_order


def _cells(summary: SessionSummary) -> list[str]:
    if summary.problem is not None:
        return [summary.id, f"(cannot be read: {summary.problem})", *[""] * (len(_COLUMNS) - 2)]
    return [
        summary.id,
        summary.title,
        summary.owner or "",
        ",".join(summary.tags),
        summary.state or "",
        summary.model or "",
        str(summary.messages),
        str(summary.tokens),
        f"{summary.cost:.4f}",
        "" if summary.updated_at is None else unix_text(summary.updated_at).removesuffix(" UTC"),
    ]


def _write_json(found: Iterator[SessionSummary]) -> None:
    """Write one array with one session a line. An interrupted listing is no valid JSON."""
    separator = "[\n"
    for summary in found:
        typer.echo(separator + json.dumps(summary._asdict()), nl=False)
        separator = ",\n"
    typer.echo("[]" if separator == "[\n" else "\n]")


def _write_table(found: Iterator[SessionSummary]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in _COLUMNS:
        justify: Literal["left", "right"] = "right" if column in _NUMBERS else "left"
        table.add_column(column, justify=justify, overflow="fold")
    messages, cost = 0, 0.0
    for summary in found:
        table.add_row(*(Text(one_line(cell)) for cell in _cells(summary)))
        messages += summary.messages
        cost += summary.cost
    out = console()
    if table.row_count:
        out.print(table)
    total = f"{count_text(table.row_count, 'session')}, {count_text(messages, 'message')}, ${cost:,.2f}"
    out.print(total, style="dim")
