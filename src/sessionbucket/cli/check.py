"""``check``: whether a store can be used, and whether every object in it is valid."""

from __future__ import annotations

import typer
from rich.text import Text

from sessionbucket import Finding, SessionStore
from sessionbucket.cli.failures import FAILED
from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import console, count_text, one_line


def check_store(url: str | None, *, quick: bool, repair: bool, confirmed: bool) -> None:
    """Write the location and health of the store, or raise its problem; then write each finding.

    With ``repair``, delete what is safe to delete, after asking unless ``confirmed``. Raises ``typer.Exit`` when a finding remains.
    """
    out = console()
    with opened(url) as store:
        out.print(f"location  {one_line(store.location)}", soft_wrap=True)
        out.print(f"backend   {store.backend_name}")
        store.health_check()
        out.print(f"saves     conditional writes: {store.probe_conditional_writes().support}")
        out.print(Text.assemble("health    ", ("ok", "bold green"), " (list, write, read, delete)"))
        if quick:
            return
        remaining = _write_findings(store)
        if repair:
            remaining -= _repair(store, remaining, confirmed=confirmed)
        if remaining:
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
