"""``fork``: a copy of a session under a new id."""

from __future__ import annotations

import typer

from sessionbucket.cli.stores import opened
from sessionbucket.cli.terminal import count_text, one_line


def fork_session(url: str | None, id: str, new_id: str, *, messages: int | None, version: str | None) -> None:
    """Copy the session, and say what the copy has."""
    with opened(url) as store:
        forked = store.fork(id, new_id, messages=messages, version=version)
    typer.echo(f"forked {one_line(id)} to {one_line(new_id)} ({count_text(len(forked.messages), 'message')})")
