"""``show``: one session, for people or byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any

import typer

from sessionbucket import SessionBucketError, SessionCorruptedError, SessionStore, SessionTooLargeError
from sessionbucket.cli.conversation import Conversation
from sessionbucket.cli.failures import say_error
from sessionbucket.cli.stores import opened, opened_for_any_model
from sessionbucket.cli.terminal import console, count_text, size_text
from sessionbucket.errors import shorten


class NoSuchSessionError(SessionBucketError):
    """The requested session does not exist."""

    def __init__(self, session_id: str, location: str) -> None:
        super().__init__(f"session {shorten(session_id)} does not exist in {location}")
        self.session_id = session_id
        self.location = location


def show_session(url: str | None, id: str, *, as_json: bool) -> None:
    """Write the session to stdout. Raises ``NoSuchSessionError`` when it does not exist."""
    with opened(url) as store:
        if as_json:
            found = store.raw.get(id)
            if found is None:
                raise NoSuchSessionError(id, store.location)
            typer.echo(found.body, nl=False)
            return
        try:
            session = store.load(id)
        except SessionCorruptedError as error:
            _show_any_session(url, id, error)
            return
        if session is None:
            raise NoSuchSessionError(id, store.location)
        Conversation(console()).print(session, parts=_describe_parts(store, id))


def _show_any_session(url: str | None, id: str, problem: SessionCorruptedError) -> None:
    """Write the members of a session that is no ``SessionData``. Raises ``problem`` when it is no JSON object with this id."""
    with opened_for_any_model(url) as store:
        try:
            session = store.load(id)
        except SessionCorruptedError:
            raise problem from None
        if session is None:
            raise NoSuchSessionError(id, store.location)
        say_error(
            f"session {shorten(id)} is no SessionData: {problem.reason}; its members follow", kind="note"
        )
        Conversation(console()).print_members(id, session.members, parts=_describe_parts(store, id))


def _describe_parts(store: SessionStore[Any], id: str) -> list[str]:
    """The parts of the session, in words; for one that cannot be read, its error."""
    files = store.list_files(id)
    found = [
        _counted(lambda: _artifacts(store, id), "artifact"),
        _counted(lambda: store.load_trace_events(id), "trace event"),
        _counted(lambda: store.load_verification_reports(id), "verification report"),
        f"{count_text(len(files), 'file')} ({size_text(sum(file.size for file in files))})" if files else "",
    ]
    return [part for part in found if part]


def _artifacts(store: SessionStore[Any], id: str) -> Sized | None:
    artifacts = store.load_artifacts(id)
    return None if artifacts is None else artifacts.artifacts


def _counted(load: Callable[[], Sized | None], name: str) -> str:
    try:
        part = load()
    except (SessionCorruptedError, SessionTooLargeError) as error:
        return f"{name}s that cannot be read: {error}"
    return "" if part is None else count_text(len(part), name)
