"""``check``: whether a store can be used, and whether all in it is as it should be."""

from __future__ import annotations

import typer
from rich.text import Text

from sessionbucket import Finding, SessionStore
from sessionbucket.cli.failures import FAILED
from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import console, count_text, one_line


def check_store(url: str | None, *, quick: bool, repair: bool, confirmed: bool) -> None:
    """Write where the store is and that it is healthy, or raise what is wrong with it; then what is wrong in it.

    With ``repair``, what is safe to remove is removed, after asking unless ``confirmed``. Raises ``typer.Exit`` where something
    that was found is still there.
    """
    out = console()
    with opened(url) as place:
        out.print(f"location  {one_line(place.store.location)}", soft_wrap=True)
        out.print(f"backend   {place.store.backend_name}")
        place.store.health_check()
        conditional = place.store.conditional_writes().capability
        out.print(f"saves     conditional writes: {conditional}")
        out.print(Text.assemble("health    ", ("ok", "bold green"), " (list, write, read, delete)"))
        if quick:
            return
        left = _write_findings(place.store)
        if repair:
            left -= _repair(place.store, left, confirmed=confirmed)
        if left:
            raise typer.Exit(FAILED)


def _write_findings(store: SessionStore) -> set[Finding]:
    findings = set()
    for finding in store.check():
        findings.add(finding)
        remedy = "removable" if finding.removable else "left alone"
        typer.echo(f"{finding.problem}\t{one_line(finding.key)}\t{one_line(finding.detail)}\t{remedy}")
    typer.echo(f"sessions  {count_text(len(findings), 'finding')}")
    return findings


def _repair(store: SessionStore, findings: set[Finding], *, confirmed: bool) -> set[Finding]:
    removable = [finding for finding in findings if finding.removable]
    if not removable:
        typer.echo("repair    nothing is safe to remove")
        return set()
    if not confirmed:
        typer.confirm(f"Remove {count_text(len(removable), 'object')}?", abort=True)
    removed = store.repair(removable)
    typer.echo(f"repair    {count_text(len(removed), 'object')} removed")
    return set(removed)
