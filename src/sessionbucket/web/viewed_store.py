"""The store that the viewer shows: read only, and with sessions of any model side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sessionbucket import (
    AccessDeniedError,
    Conversation,
    SessionBucketError,
    SessionCorruptedError,
    SessionNotFoundError,
    SessionStore,
    SessionSummary,
    SummaryPage,
)
from sessionbucket.models import AnySession
from sessionbucket.web.read_only import ReadOnlyBucket

CHUNK = 500
"""The sessions that a search reads at a time."""
_LONGEST_TITLE = 80


class ViewedStore:
    """Reads a store. Its ``sessions`` refuse every write."""

    def __init__(self, store: SessionStore[Any]) -> None:
        bucket = ReadOnlyBucket(store.bucket)
        self.location = store.location
        self.sessions = SessionStore(bucket, store.prefix, model=AnySession, summarize=summary_of_members)
        self._session_data = SessionStore(bucket, store.prefix)
        conversations = SessionStore(bucket, store.prefix, model=Conversation)
        self._listed: tuple[SessionStore[Any], SessionStore[Any]] = (self._session_data, conversations)

    def load(self, id: str) -> AnySession:
        """The session. Raises ``SessionNotFoundError``, and the errors of the store's ``load``."""
        session = self.sessions.load(id)
        if session is None:
            raise SessionNotFoundError(id, self.location)
        return session

    def problem(self, session: AnySession) -> str | None:
        """Why a session that has the members of a ``SessionData`` is none. Costs a HEAD, and a GET without a summary."""
        if session.is_of_another_model:
            return None
        try:
            self._session_data.summary(session.id)
        except SessionCorruptedError as error:
            return error.reason
        return None

    def page(self, prefix: str, limit: int, cursor: str | None = None) -> SummaryPage:
        """One page of summaries. Costs the requests of ``summary_page``, and a GET for each session that is no ``SessionData``.

        In a store of conversations, later pages are read as such, and again cost only the requests of ``summary_page``.
        """
        try:
            page = self._listed[0].summary_page(prefix=prefix, limit=limit, cursor=cursor)
        except AccessDeniedError:  # of the listing, which then raises again, or of one session
            return self._page_one_by_one(prefix, limit, cursor)
        unread = [summary.id for summary in page.summaries if summary.problem is not None]
        if not unread:
            return page
        found = self._summaries_of_any(unread)
        if 2 * len(found) > len(page.summaries):
            self._listed = self._listed[::-1]
        return SummaryPage([found.get(each.id, each) for each in page.summaries], page.next_cursor)

    def _page_one_by_one(self, prefix: str, limit: int, cursor: str | None) -> SummaryPage:
        """The page with the error of each session that may not be read in its own row."""
        listed = self.sessions.list_page(prefix=prefix, limit=limit, cursor=cursor)
        found = [self.summary(info.id) for info in listed.sessions]
        return SummaryPage(found, listed.next_cursor)

    def summary(self, id: str) -> SessionSummary:
        """The summary of a session. When it cannot be read, its ``problem`` is the reason."""
        try:
            found = self._listed[0].summary(id)
        except SessionCorruptedError as error:
            return self._summaries_of_any([id]).get(id) or SessionSummary(id, problem=error.reason)
        except SessionBucketError as error:
            return SessionSummary(id, problem=str(error))
        return found or SessionSummary(id, problem="it does not exist any more")

    def chunks(self, prefix: str, cursor: str | None = None) -> Iterator[SummaryPage]:
        """The pages of a search, from a cursor on."""
        while True:
            page = self.page(prefix, CHUNK, cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def _summaries_of_any(self, ids: list[str]) -> dict[str, SessionSummary]:
        """The summaries of those sessions that are JSON objects of another model."""
        return {
            id: summary_of_members(loaded)
            for id, loaded in self.sessions.load_many(ids)
            if isinstance(loaded, AnySession) and loaded.is_of_another_model
        }


def summary_of_members(session: AnySession) -> SessionSummary:
    """The summary of a session of any model, from the members that have the usual names and types."""
    members = session.members
    title = next((value for name in ("title", "name") if isinstance(value := members.get(name), str)), "")
    messages = members.get("messages")
    usage = members.get("usage")
    tokens = usage.get("total_tokens") if isinstance(usage, dict) else None
    tags = members.get("tags")
    return SessionSummary(
        session.id,
        " ".join(title[: 2 * _LONGEST_TITLE].split())[:_LONGEST_TITLE],
        owner=_text(members.get("principal") or members.get("owner")),
        tenant=_text(members.get("tenant_id")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        model=_text(members.get("model_name") or members.get("model")),
        created_at=_whole(members.get("created_at")),
        updated_at=_whole(members.get("updated_at")),
        messages=len(messages) if isinstance(messages, list) else 0,
        tokens=_whole(tokens) or 0,
        parent_id=_text(members.get("parent_id")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None
