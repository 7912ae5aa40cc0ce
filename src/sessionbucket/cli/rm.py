"""``rm``: deleting sessions, after showing what they consist of."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from rich.prompt import Confirm

from sessionbucket import SessionStore
from sessionbucket.cli.failures import FAILED, say_error
from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import console, count_text, one_line, size_text
from sessionbucket.errors import shorten


def delete_sessions(url: str | None, ids: Sequence[str], *, confirmed: bool) -> None:
    """Delete the existing sessions, once confirmed, and name the missing ones.

    Raises ``typer.Exit`` at the end when one is missing, and when the user declines.
    """
    with opened(url) as store:
        described = {id: _describe(store, id) for id in dict.fromkeys(ids)}
        missing = [id for id, objects in described.items() if not objects]
        existing = {id: objects for id, objects in described.items() if objects}
        for id in missing:
            say_error(f"session {shorten(id)} does not exist in {store.location}")
        if existing and not (confirmed or _confirm(store, existing)):
            say_error("nothing was deleted; type y, or pass --yes")
            raise typer.Exit(FAILED)
        for id in existing:
            store.delete(id)
            typer.echo(f"deleted {one_line(id)}")
    if missing:
        raise typer.Exit(FAILED)


def _describe(store: SessionStore, id: str) -> list[str]:
    """The objects of the session, in words. Parts of a session that is gone count, too. No body is read."""
    objects = store.raw.describe(id)
    files = [info.size for name, info in objects.items() if name.startswith("file ")]
    described = [
        f"{name} {size_text(info.size)}" for name, info in objects.items() if not name.startswith("file ")
    ]
    if files:
        described.append(f"{count_text(len(files), 'file')} {size_text(sum(files))}")
    return described


def _confirm(store: SessionStore, existing: dict[str, list[str]]) -> bool:
    out = console(stderr=True)
    out.print(f"To be deleted from {one_line(store.location)}:", soft_wrap=True)
    for id, objects in existing.items():
        out.print(f"  {one_line(id)}  ({', '.join(objects)})", soft_wrap=True)
    try:
        return Confirm.ask(
            f"Delete {count_text(len(existing), 'session')} permanently?", console=out, default=False
        )
    except EOFError:
        out.print()
        return False
