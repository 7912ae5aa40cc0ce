"""``check``: whether a store can be used, and whether every object in it is valid."""

from __future__ import annotations

from threading import Lock

import typer
from rich.text import Text

from sessionbucket import Finding, Problem, SessionStore, StoredObject
from sessionbucket.cli.any_session import is_of_another_model, problem_as_session_data
from sessionbucket.cli.failures import FAILED
from sessionbucket.cli.stores import opened_for_any_model
from sessionbucket.cli.terminal import console, count_text, one_line
from sessionbucket.models import AnySession


def check_store(store_url: str | None, *, quick: bool, repair: bool, confirmed: bool) -> None:
    """Write the location and health of the store, or raise its problem; then write each finding.

    With ``repair``, delete what is safe to delete, after asking unless ``confirmed``. Raises ``typer.Exit`` when a finding remains.
    """
    out = console()
    with opened_for_any_model(store_url) as store:
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


class _ReadSessions:
    """Counts the sessions that a check read, and finds those that are no valid ``SessionData``."""

    def __init__(self) -> None:
        self.count = 0
        self.problems: dict[str, tuple[bool, str]] = {}
        self._lock = Lock()

    def add(self, found: StoredObject) -> None:
        problem = problem_as_session_data(found.body)
        with self._lock:
            self.count += 1
            if problem is not None:
                self.problems[found.info.key] = is_of_another_model(found.body), problem


def _write_findings(store: SessionStore[AnySession]) -> set[Finding]:
    """Write and return the findings. A session of another model is named, and is no finding."""
    read = _ReadSessions()
    findings = set()
    for finding in store.check(on_session=read.add):
        findings.add(finding)
        read.problems.pop(finding.key, None)
        _write_finding(finding)
    others = 0
    for key, (is_other, problem) in sorted(read.problems.items()):
        if is_other:
            others += 1
            typer.echo(f"model\t{one_line(key)}\tno SessionData ({one_line(problem)})\tnot validated")
        else:
            damaged = Finding(key, Problem.CORRUPTED, problem, removable=False)
            findings.add(damaged)
            _write_finding(damaged)
    other_models = f"{others:,} of another model, " if others else ""
    typer.echo(f"sessions  {read.count:,} read, {other_models}{count_text(len(findings), 'finding')}")
    return findings


def _write_finding(finding: Finding) -> None:
    remedy = "removable" if finding.removable else "left alone"
    typer.echo(f"{finding.problem}\t{one_line(finding.key)}\t{one_line(finding.detail)}\t{remedy}")


def _repair(store: SessionStore[AnySession], findings: set[Finding], *, confirmed: bool) -> set[Finding]:
    removable = [finding for finding in findings if finding.removable]
    if not removable:
        typer.echo("repair    nothing is safe to remove")
        return set()
    if not confirmed:
        typer.confirm(f"Remove {count_text(len(removable), 'object')}?", abort=True)
    removed = store.repair(removable)
    typer.echo(f"repair    {count_text(len(removed), 'object')} removed")
    return set(removed)
