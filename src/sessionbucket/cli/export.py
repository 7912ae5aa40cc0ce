"""``export``: the ranges of a store to Parquet files, by several processes."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing import get_context

import typer

from sessionbucket import SessionBucketError, SessionRange
from sessionbucket.cli.failures import FAILED, say_error
from sessionbucket.cli.keys import chosen_keyring, keys_of
from sessionbucket.cli.stores import url_of
from sessionbucket.cli.terminal import count_text, progress_bar
from sessionbucket.errors import shorten
from sessionbucket.export import ExportedRange, Exporter, plan_export


class WorkerEndedError(SessionBucketError):
    """A process of the export ended. What it had written does not count, and a repeated export writes it again."""

    def __init__(self) -> None:
        super().__init__(
            "a worker process ended before its range was exported, for lack of memory perhaps: repeat the export, with fewer --workers or "
            "more --ranges; what is complete is not exported again"
        )


def export_store(
    url: str | None, out: str, *, prefix: str, ranges: int | None, workers: int | None, text: bool
) -> None:
    """Export the sessions whose ids start with ``prefix``, and write each that could not be read.

    Raises ``typer.Exit`` at the end unless every session was exported whole.
    """
    source, destination = url_of(url), url_of(out, create=True)
    planned = plan_export(source, destination, ranges=ranges, prefix=prefix)
    make = partial(_exporter, source, destination, text=text, keyring=chosen_keyring())
    outcomes: Counter[str] = Counter()
    sessions = problems = 0
    try:
        with progress_bar() as progress, closing(_results(make, planned, workers)) as results:
            for result in progress.track(results, total=len(planned), description="exporting"):
                outcomes[result.outcome] += 1
                sessions += result.sessions
                problems += len(result.problems)
                for id, reason in result.problems:
                    say_error(f"session {shorten(id)} was not exported whole: {reason}")
    finally:
        typer.echo(
            f"{count_text(sessions, 'session')} in {count_text(len(planned), 'range')}: {outcomes['written']} written, "
            f"{outcomes['unchanged']} unchanged"
        )
    if problems:
        raise typer.Exit(FAILED)


def _exporter(source: str, destination: str, *, text: bool, keyring: str | None) -> Exporter:
    return Exporter(source, destination, text=text, encryption=keys_of(keyring))


def _results(
    make: partial[Exporter], planned: list[SessionRange], workers: int | None
) -> Generator[ExportedRange, None, None]:
    """The results as they come, from this process if one is enough."""
    count = min(workers or os.cpu_count() or 1, len(planned))
    if count == 1:
        with make() as exporter:
            yield from map(exporter.export, planned)
        return
    # A forked process could not use what this one has loaded: obstore does not work after a fork.
    spawn = get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=spawn, initializer=_start_worker, initargs=(make,)) as pool:
        try:
            with _deferred_interrupts():
                running = [pool.submit(_export_in_worker, each) for each in planned]
            for done in as_completed(running):
                yield done.result()
        except BrokenProcessPool as error:
            raise WorkerEndedError from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_in_worker: list[Exporter] = []
"""The exporter of a worker process."""


def _start_worker(make: partial[Exporter]) -> None:
    # Ctrl-C ends a worker at once and without a traceback: an interrupted range is exported again by the next run.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _in_worker.append(make())


@contextmanager
def _deferred_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back. A process that is started meanwhile inherits this, and gets the signal when ``_start_worker`` takes it."""
    if sys.platform == "win32":
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _export_in_worker(range: SessionRange) -> ExportedRange:
    return _in_worker[0].export(range)
