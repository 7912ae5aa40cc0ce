"""``cp``: many sessions from one store to another, with a progress bar and an account at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sessionbucket import (
    BucketNotFoundError,
    ConditionalWritesUnsupportedError,
    InvalidArgumentError,
    SessionBucketError,
    StoreUnavailableError,
)
from sessionbucket._core.inventory import Inventory
from sessionbucket.cli.copying import SessionCopier
from sessionbucket.cli.failures import FAILED, say_error
from sessionbucket.cli.stores import OpenedStore, opened
from sessionbucket.cli.terminal import console
from sessionbucket.errors import shorten

_OF_THE_STORE = (StoreUnavailableError, BucketNotFoundError, ConditionalWritesUnsupportedError)
"""Errors that the next session would meet, too."""


def copy_sessions(
    source_url: str,
    destination_url: str,
    ids: Sequence[str],
    *,
    prefix: str,
    overwrite: bool,
    concurrency: int,
) -> None:
    """Copy the sessions named, or all whose ids start with ``prefix``, and write what became of them.

    So many sessions are copied at once, and as many of their parts.

    A session that cannot be copied does not stop the others. Raises ``typer.Exit`` at the end unless all are in the
    destination as they are in the source.
    """
    with opened(source_url) as source, opened(destination_url, create=True) as destination:
        if source.store.location == destination.store.location:
            raise InvalidArgumentError("the source and the destination are the same store")
        account: Counter[str] = Counter()
        chosen: Iterable[str] = dict.fromkeys(ids)
        inventories = None
        if not ids:
            inventories = _listed(source, destination, prefix)
            chosen = source.store.bodies.ids(inventories[0])
        try:
            with _pool("parts", concurrency) as pool:
                copier = SessionCopier(
                    source, destination, overwrite=overwrite, pool=pool, inventories=inventories
                )
                _copy_all(
                    copier, [*chosen], account, concurrency, listed=not ids, location=source.store.location
                )
        finally:
            typer.echo(_summary(account))
    if account["conflict"] or account["missing"] or account["failed"]:
        raise typer.Exit(FAILED)


def _listed(source: OpenedStore, destination: OpenedStore, prefix: str) -> tuple[Inventory, Inventory]:
    """What both stores have, listed at the same time."""
    with _pool("list", 1) as pool:
        there = pool.submit(destination.store.bodies.inventory, prefix)
        here = source.store.bodies.inventory(prefix)
        return here, there.result()


def _copy_all(
    copier: SessionCopier,
    ids: Sequence[str],
    account: Counter[str],
    concurrency: int,
    *,
    listed: bool,
    location: str,
) -> None:
    def copy(id: str) -> tuple[str, str]:
        try:
            return copier.copy_listed(id) if listed else copier.copy(id)
        except _OF_THE_STORE:
            raise
        except SessionBucketError as error:
            return "failed", str(error)

    with _progress() as progress:
        task = progress.add_task("copying", total=len(ids))
        with _pool("copy", concurrency, on_error=copier.stop) as pool:
            for id, (outcome, detail) in zip(ids, pool.map(copy, ids), strict=True):
                account[outcome] += 1
                _tell(id, outcome, detail, location)
                progress.advance(task)


@contextmanager
def _pool(name: str, size: int, on_error: Callable[[], None] = lambda: None) -> Iterator[ThreadPoolExecutor]:
    """Threads; when the block raises, ``on_error`` is called and what was not begun is dropped."""
    pool = ThreadPoolExecutor(size, thread_name_prefix=name)
    try:
        yield pool
    except BaseException:
        on_error()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _progress() -> Progress:
    out = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )


def _tell(id: str, outcome: str, detail: str, location: str) -> None:
    match outcome:
        case "conflict":
            say_error(
                f"session {shorten(id)} differs in the destination and was left alone: {detail}",
                kind="conflict",
            )
        case "missing":
            say_error(f"session {shorten(id)} does not exist in {location}")
        case "failed":
            say_error(f"session {shorten(id)} was not copied: {detail}")


def _summary(account: Counter[str]) -> str:
    counts = [f"copied {account['copied']}", f"same {account['same']}", f"conflicts {account['conflict']}"]
    counts += [f"{name} {account[name]}" for name in ("missing", "failed") if account[name]]
    return ", ".join(counts)
