"""``rm``: deleting sessions, after a look at what would go."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from rich.prompt import Confirm

from sessionbucket.cli.failures import FAILED, say_error
from sessionbucket.cli.stores import OpenedStore, opened
from sessionbucket.cli.terminal import console, count_text, one_line, size_text
from sessionbucket.errors import shorten


def delete_sessions(url: str | None, ids: Sequence[str], *, confirmed: bool) -> None:
    """Delete the sessions that exist, once confirmed, and name those that do not.

    Raises ``typer.Exit`` at the end where one does not exist, and when the answer is no.
    """
    with opened(url) as place:
        found = {id: _belongings(place, id) for id in dict.fromkeys(ids)}
        missing = [id for id, belongings in found.items() if not belongings]
        there = {id: belongings for id, belongings in found.items() if belongings}
        for id in missing:
            say_error(f"session {shorten(id)} does not exist in {place.store.location}")
        if there and not (confirmed or _confirm(place, there)):
            say_error("nothing was deleted; answer y, or pass --yes")
            raise typer.Exit(FAILED)
        for id in there:
            place.store.delete(id)
            typer.echo(f"deleted {one_line(id)}")
    if missing:
        raise typer.Exit(FAILED)


def _belongings(place: OpenedStore, id: str) -> list[str]:
    """What there is of the session, in words; leftovers of a session that is gone count, too. Nothing is read."""
    keys = place.keys(id)
    named = {
        "session": keys.session,
        "artifacts": keys.artifacts,
        "traces": keys.traces,
        "verification": keys.verification,
    }
    found = []
    for name, key in named.items():
        info = place.bucket.head(key)
        if info:
            found.append(f"{name} {size_text(info.size)}")
    if files := place.store.list_files(id):
        found.append(f"{count_text(len(files), 'file')} {size_text(sum(file.size for file in files))}")
    return found


def _confirm(place: OpenedStore, there: dict[str, list[str]]) -> bool:
    out = console(stderr=True)
    out.print(f"To be deleted from {one_line(place.store.location)}:", soft_wrap=True)
    for id, belongings in there.items():
        out.print(f"  {one_line(id)}  ({', '.join(belongings)})", soft_wrap=True)
    try:
        return Confirm.ask(
            f"Delete {count_text(len(there), 'session')} for good?", console=out, default=False
        )
    except EOFError:
        out.print()
        return False
