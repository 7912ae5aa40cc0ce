"""The pages of the viewer. Each reads what it shows, and renders its template."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from sessionbucket import (
    AccessDeniedError,
    BucketNotFoundError,
    FileNotInStoreError,
    FileReader,
    InvalidArgumentError,
    NotSupportedError,
    SessionBucketError,
    SessionCorruptedError,
    SessionNotFoundError,
    StoreUnavailableError,
    VersionNotFoundError,
)
from sessionbucket.models import AnySession
from sessionbucket.web import threads
from sessionbucket.web.charts import Sum, columns, usage_of
from sessionbucket.web.conversations import MESSAGES, conversation_page
from sessionbucket.web.family import family_of
from sessionbucket.web.messages import read_messages, step_of
from sessionbucket.web.rendering import environment
from sessionbucket.web.session_list import (
    MOST_SORTED,
    PAGE,
    SORTS,
    Query,
    list_sessions,
    read_summaries,
    whole_number,
)
from sessionbucket.web.timeline import timeline
from sessionbucket.web.viewed_store import ViewedStore

T = TypeVar("T")

_STATUS: dict[type[SessionBucketError], tuple[int, str]] = {
    SessionNotFoundError: (404, "This session does not exist"),
    VersionNotFoundError: (404, "This version does not exist"),
    FileNotInStoreError: (404, "This file does not exist"),
    BucketNotFoundError: (404, "This bucket does not exist"),
    InvalidArgumentError: (400, "This address is not right"),
    AccessDeniedError: (403, "The store refuses access"),
    SessionCorruptedError: (422, "This cannot be read"),
    StoreUnavailableError: (502, "The store is not available"),
}


class Pages:
    """The handlers of all pages of one store."""

    def __init__(self, store: ViewedStore) -> None:
        self._store = store
        self._templates = environment()

    @property
    def routes(self) -> list[BaseRoute]:
        """The pages by their paths."""
        handlers = {
            "/": self.sessions,
            "/session": self.conversation,
            "/session/raw": self.raw,
            "/session/files": self.files,
            "/session/file": self.file,
            "/session/artifact": self.artifact,
            "/session/traces": self.traces,
            "/session/reports": self.reports,
            "/session/history": self.history,
            "/session/diff": self.diff,
            "/session/forks": self.forks,
            "/usage": self.usage,
            "/threads": self.threads,
            "/threads/{kind}": self.thread_list,
            "/threads/{kind}/item": self.thread,
        }
        return [Route(path, handler, methods=["GET"]) for path, handler in handlers.items()]

    def sessions(self, request: Request) -> Response:
        """The list of sessions."""
        query = Query.of(request.query_params)
        return self._page(
            "sessions.html", query=query, listing=list_sessions(self._store, query), sorts=SORTS
        )

    def conversation(self, request: Request) -> Response:
        """A page of the messages of a session, or of an earlier version of it."""
        id, version = _id(request), request.query_params.get("version", "")
        if version:
            session: AnySession = self._store.sessions.history.load(id, version)
            problem = None
        else:
            session = self._store.load(id)
            problem = self._store.problem(session)
        page = conversation_page(session, whole_number(request.query_params, "page", 1), problem)
        return self._page("conversation.html", id=id, version=version, page=page)

    def raw(self, request: Request) -> Response:
        """The session as it is stored, as a download."""
        id = _id(request)
        found = self._store.sessions.raw.get(id)
        if found is None:
            raise SessionNotFoundError(id, self._store.location)
        return _download(f"{id}.json", iter([found.body]), len(found.body))

    def files(self, request: Request) -> Response:
        """The files and artifacts of a session. What cannot be read says so in its place."""
        id = _id(request)
        files, files_problem = _attempt(lambda: self._store.sessions.list_files(id))
        artifacts, artifacts_problem = _attempt(lambda: self._store.sessions.load_artifacts(id))
        return self._page(
            "files.html",
            id=id,
            files=files or [],
            files_problem=files_problem,
            artifacts=list(artifacts) if artifacts is not None else [],
            artifacts_problem=artifacts_problem,
        )

    def file(self, request: Request) -> Response:
        """A file of a session, streamed as a download."""
        name = request.query_params.get("name", "")
        reader = self._store.sessions.open_file(_id(request), name)
        return _download(name, _chunks(reader), reader.size)

    def artifact(self, request: Request) -> Response:
        """An artifact of a session as a download."""
        id, uri = _id(request), request.query_params.get("uri", "")
        artifacts = self._store.sessions.load_artifacts(id)
        found = artifacts.get(uri) if artifacts is not None else None
        if found is None:
            raise FileNotInStoreError(id, uri, self._store.location)
        body = found.content.encode("utf-8", "surrogatepass")
        return _download(f"{found.artifact_id}.txt", iter([body]), len(body))

    def traces(self, request: Request) -> Response:
        """The trace events of a session as a timeline."""
        id = _id(request)
        events, problem = _attempt(lambda: self._store.sessions.load_trace_events(id))
        shown = timeline(events or [], whole_number(request.query_params, "page", 1))
        return self._page("traces.html", id=id, timeline=shown, problem=problem)

    def reports(self, request: Request) -> Response:
        """The verification reports of a session."""
        id = _id(request)
        reports, problem = _attempt(lambda: self._store.sessions.load_verification_reports(id))
        return self._page("reports.html", id=id, reports=reports or [], problem=problem)

    def history(self, request: Request) -> Response:
        """The versions of a session, where the bucket keeps them."""
        id = _id(request)
        try:
            versions = list(self._store.sessions.history.versions(id))
        except NotSupportedError as error:
            return self._page("history.html", id=id, rows=None, reason=str(error))
        contents = [version for version in versions if not version.is_delete]
        before = dict(pairwise(contents))
        rows = [(version, before.get(version)) for version in versions]
        return self._page("history.html", id=id, rows=rows, reason="")

    def diff(self, request: Request) -> Response:
        """The difference between two versions of a session."""
        id, values = _id(request), request.query_params
        found = self._store.sessions.history.diff(id, values.get("before", ""), values.get("after") or None)
        first = found.common + 1
        sides: dict[str, Any] = {
            name: [
                step_of(turn, number)
                for number, turn in enumerate(read_messages(messages, first), start=first)
            ]
            for name, messages in (("dropped", found.dropped), ("added", found.added))
        }
        return self._page(
            "diff.html",
            id=id,
            before=values.get("before", ""),
            after=values.get("after", ""),
            diff=found,
            **sides,
        )

    def forks(self, request: Request) -> Response:
        """The parents and the forks of a session."""
        id, prefix = _id(request), request.query_params.get("prefix", "")
        session = self._store.load(id)
        parent_id = conversation_page(session, 1).parent_id
        family = family_of(self._store, id, parent_id, prefix)
        return self._page("forks.html", id=id, family=family, prefix=prefix, most=MOST_SORTED)

    def usage(self, request: Request) -> Response:
        """Tokens and costs by day, model and owner."""
        prefix = request.query_params.get("prefix", "").strip()
        summaries, is_cut = read_summaries(self._store, prefix)
        usage = usage_of(summaries)
        return self._page(
            "usage.html",
            prefix=prefix,
            usage=usage,
            is_cut=is_cut,
            searched=len(summaries),
            charts=[_chart("Cost by day", usage.days, "cost"), _chart("Tokens by day", usage.days, "tokens")],
            groups=[("By model", "Model", usage.models), ("By owner", "Owner", usage.owners)],
        )

    def threads(self, request: Request) -> Response:
        """The integrations that have written into the store."""
        return self._page("threads.html", kinds=threads.kinds(self._store.sessions))

    def thread_list(self, request: Request) -> Response:
        """The threads, sessions or conversations of an integration."""
        kind, cursor = request.path_params["kind"], request.query_params.get("cursor") or None
        found = threads.page(self._store.sessions, kind, cursor, PAGE)
        return self._page(
            "thread_list.html", kind=kind, title=threads.TITLES[kind], page=found, cursor=cursor
        )

    def thread(self, request: Request) -> Response:
        """A page of the steps of a thread."""
        kind, id = request.path_params["kind"], _id(request)
        page = max(1, whole_number(request.query_params, "page", 1))
        offset = (page - 1) * MESSAGES
        found = threads.thread(self._store.sessions, kind, id, offset, MESSAGES)
        pages = max(1, -(-found.total // MESSAGES))
        return self._page(
            "thread.html",
            kind=kind,
            title=threads.TITLES[kind],
            id=id,
            thread=found,
            page=page,
            pages=pages,
            first=offset + 1,
        )

    def failed(self, request: Request, error: Exception) -> Response:
        """The page of an error, in plain words."""
        status, title = 500, "This page cannot be shown"
        for kind, (code, text) in _STATUS.items():
            if isinstance(error, kind):
                status, title = code, text
                break
        id, reason = request.query_params.get("id", ""), str(error)
        if isinstance(error, SessionNotFoundError):  # its own advice is for programs
            reason = (
                f"{self._store.location} has no session {error.session_id!r}. It may have been deleted since."
            )
        offers_raw = isinstance(error, SessionCorruptedError) and bool(id)
        return self._page(
            "error.html", status=status, title=title, reason=reason, id=id, offers_raw=offers_raw
        )

    def missing(self, request: Request, error: Exception) -> Response:
        """The page of an address that has none."""
        status = getattr(error, "status_code", 404)
        reason = getattr(error, "detail", "")
        return self._page(
            "error.html", status=status, title="There is no such page", reason=reason, id="", offers_raw=False
        )

    def broken(self, request: Request, error: Exception) -> Response:
        """The page of a bug. Its error could contain the text of a session, and stays in the terminal."""
        reason = f"{type(error).__name__}: this is a bug of the viewer, please report it"
        return self._page(
            "error.html",
            status=500,
            title="This page cannot be shown",
            reason=reason,
            id="",
            offers_raw=False,
        )

    def _page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        text = self._templates.get_template(template).render(
            location=self._store.location, status=status, **values
        )
        return HTMLResponse(text, status_code=status)


def _id(request: Request) -> str:
    return request.query_params.get("id", "")


def _attempt(read: Callable[[], T]) -> tuple[T | None, str | None]:
    """The result of a read, or the problem in words."""
    try:
        return read(), None
    except SessionBucketError as error:
        return None, str(error)


def _chunks(reader: FileReader) -> Iterator[bytes]:
    with reader:
        yield from reader


def _download(name: str, chunks: Iterator[bytes], size: int) -> Response:
    """A download that no browser shows in a page, whatever it contains."""
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name.rpartition('/')[2] or 'download', safe='')}",
        "content-length": str(size),
    }
    return StreamingResponse(chunks, media_type="application/octet-stream", headers=headers)


def _chart(title: str, days: list[Sum], field: str) -> dict[str, Any]:
    def text(value: float) -> str:
        return f"${value:,.2f}" if field == "cost" else f"{value:,.0f}"

    values = [(day.label, float(getattr(day, field)), text(getattr(day, field))) for day in days]
    top = text(max((value for _, value, _ in values), default=0))
    return {"title": title, "columns": columns(values, top)}
