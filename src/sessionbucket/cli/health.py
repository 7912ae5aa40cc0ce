"""``check``: whether a store can be used."""

from __future__ import annotations

import typer
from rich.text import Text

from sessionbucket import SessionStore
from sessionbucket.cli.failures import FAILED
from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import console, count_text, one_line


def check_store(url: str | None, *, every_session: bool) -> None:
    """Write where the store is and that it is healthy, or raise what is wrong with it.

    With ``every_session`` the whole store is read, too; raises ``typer.Exit`` at the end where something was found.
    """
    out = console()
    with opened(url) as place:
        out.print(f"location  {one_line(place.store.location)}", soft_wrap=True)
        out.print(f"backend   {place.store.backend_name}")
        place.store.health_check()
        conditional = place.store.conditional_writes().capability
        out.print(f"saves     conditional writes: {conditional}")
        out.print(Text.assemble("health    ", ("ok", "bold green"), " (list, write, read, delete)"))
        if every_session and _write_findings(place.store):
            raise typer.Exit(FAILED)


def _write_findings(store: SessionStore) -> int:
    count = 0
    for count, finding in enumerate(store.check(), start=1):  # noqa: B007 (the last count is the result)
        typer.echo(f"{finding.problem}\t{one_line(finding.key)}\t{one_line(finding.detail)}")
    typer.echo(f"sessions  {count_text(count, 'finding')}")
    return count
