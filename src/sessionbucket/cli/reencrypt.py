"""``reencrypt``: encrypting the objects of a store again, after a rotation of its keys."""

from __future__ import annotations

from collections import Counter

import typer

from sessionbucket import reencrypt_store
from sessionbucket.cli.failures import FAILED, say_error
from sessionbucket.cli.stores import opened_for_any_model
from sessionbucket.errors import shorten


def reencrypt(store_url: str | None, *, prefix: str, accept_plain: bool, concurrency: int) -> None:
    """Encrypt every object again whose key is not the current one, and write the error of each that failed.

    Raises ``typer.Exit`` at the end unless every object has the current key.
    """
    outcomes: Counter[str] = Counter()
    with opened_for_any_model(store_url, accept_plain=accept_plain) as store:
        try:
            for result in reencrypt_store(store, prefix=prefix, concurrency=concurrency):
                outcomes[result.outcome] += 1
                if result.outcome == "failed":
                    say_error(f"{shorten(result.key)} was not encrypted again: {result.detail}")
        finally:
            failed = f", failed {outcomes['failed']}" if outcomes["failed"] else ""
            typer.echo(f"encrypted {outcomes['encrypted']}, current {outcomes['current']}{failed}")
    if outcomes["failed"]:
        raise typer.Exit(FAILED)
