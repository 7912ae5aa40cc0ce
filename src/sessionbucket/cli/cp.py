"""``cp``: copying sessions from one store to another, with a progress bar and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing

import typer

from sessionbucket import CopyResult, copy_sessions
from sessionbucket.cli.any_session import model_that_notes_others
from sessionbucket.cli.failures import FAILED, say_error
from sessionbucket.cli.stores import opened_for_any_model
from sessionbucket.cli.terminal import count_text, progress_bar
from sessionbucket.errors import shorten, shorten_list


def copy(
    source_url: str,
    destination_url: str,
    ids: Sequence[str],
    *,
    prefix: str,
    overwrite: bool,
    concurrency: int,
    source_keyring: str | None,
    destination_keyring: str | None,
) -> None:
    """Copy the named sessions, all whose ids start with ``prefix``, or the whole store, and write the result of each that was not copied.

    Raises ``typer.Exit`` at the end unless all of them are in the destination as in the source.
    """
    outcomes: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    others: set[str] = set()
    with (
        opened_for_any_model(
            source_url, model=model_that_notes_others(others), keyring=source_keyring
        ) as source,
        opened_for_any_model(destination_url, create=True, keyring=destination_keyring) as destination,
    ):
        results = copy_sessions(
            source,
            destination,
            ids or None,
            prefix=prefix,
            overwrite=overwrite,
            concurrency=concurrency,
        )
        try:
            with progress_bar() as progress, closing(results):
                task = progress.add_task("copying", total=None)
                for result in results:
                    (documents if result.kind == "document" else outcomes)[result.outcome] += 1
                    _report(result, source.location)
                    progress.update(task, total=result.total, advance=1)
        finally:
            typer.echo(_summary(outcomes))
            if documents:
                typer.echo(f"documents of integrations: {_summary(documents)}")
            if others:
                names = shorten_list(sorted(others))
                say_error(
                    f"{count_text(len(others), 'session')} of another model than SessionData: {names}",
                    kind="note",
                )
    outcomes += documents
    if outcomes["conflict"] or outcomes["missing"] or outcomes["failed"]:
        raise typer.Exit(FAILED)


def _report(result: CopyResult, source: str) -> None:
    session = f"{result.kind} {shorten(result.id)}"
    match result.outcome:
        case "conflict":
            say_error(
                f"{session} differs in the destination and was left alone: {result.detail}", kind="conflict"
            )
        case "missing":
            say_error(f"{session} does not exist in {source}")
        case "failed":
            say_error(f"{session} was not copied: {result.detail}")


def _summary(outcomes: Counter[str]) -> str:
    counts = [
        f"copied {outcomes['copied']}",
        f"same {outcomes['same']}",
        f"conflicts {outcomes['conflict']}",
    ]
    counts += [f"{name} {outcomes[name]}" for name in ("missing", "failed") if outcomes[name]]
    return ", ".join(counts)
