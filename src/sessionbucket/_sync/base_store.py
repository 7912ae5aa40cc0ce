# Generated from sessionbucket/_async/base_store.py by scripts/generate_sync.py: do not edit.
"""The interface of every session store, and the defaults for a backend that is no bucket."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Sequence
from datetime import timedelta
from functools import cache, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeVar

from sessionbucket._codec import codec_of
from sessionbucket._concurrency.threads import FileSource, Items, WorkerPool, awaited, closing, each, gather
from sessionbucket._core.arguments import check_function, check_items, check_text, close_coroutine
from sessionbucket._core.pagination import check_concurrency, check_limit, decode_cursor, encode_cursor
from sessionbucket._core.results import FileInfo, SessionInfo, SessionPage
from sessionbucket._core.session_version import hand_over
from sessionbucket._sync.documents import retry_after_conflicts
from sessionbucket.errors import (
    InvalidArgumentError,
    NotSupportedError,
    SessionBucketError,
    SessionNotFoundError,
    shorten,
)

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    from sessionbucket._concurrency.threads import PendingCall
    from sessionbucket._sync.session_files import FileReader
    from sessionbucket.models import ArtifactStore, SessionData, TraceEvent, VerificationReport

    TraceEvents = list[TraceEvent]
    VerificationReports = list[VerificationReport]


class HasId(Protocol):
    """``Conversation``, or any pydantic model with an ``id: str``."""

    @property
    def id(self) -> str: ...


if TYPE_CHECKING:
    SessionT = TypeVarWithDefault("SessionT", bound=HasId, default=SessionData)
else:
    # The default has no effect at run time, and would load the model and typing_extensions.
    SessionT = TypeVar("SessionT", bound=HasId)

Loaded = tuple[str, SessionT | SessionBucketError | None]
"""An id, and its session, or None when it does not exist, or the error of its load."""

# Inside the class, ``list`` is the method.
Ids = list[str]
Files = list[FileInfo]
Calls = list[Callable[[], None]]


def checked_session(value: Any, model: type, id: str, source: Literal["change", "create"]) -> Any:
    """The value, if it is the session with this id. ``source`` names the argument of ``update`` that returned it.

    Raises ``InvalidArgumentError`` otherwise.
    """
    if not isinstance(value, model):
        is_async = close_coroutine(value)
        expected = f"a {model.__name__}" + (" or None" if source == "change" else "")
        remedy = (
            "an async function needs an async store" if source == "change" else "`create` must not be async"
        )
        advice = f"; {remedy}" if is_async else ""
        raise InvalidArgumentError(
            f"`{source}` of update({shorten(id)}) returned a {type(value).__name__}: it must return {expected}{advice}; nothing was written"
        )
    found = getattr(value, "id", None)
    if found != id:
        raise InvalidArgumentError(
            f"`{source}` of update({shorten(id)}) returned the session {shorten(str(found))}: it must have the id that was passed to update; "
            "nothing was written"
        )
    return value


_kept_codec = cache(codec_of)


def _printed(session: Any) -> bytes:
    model: Any = type(session)
    return _kept_codec(model).encode(session, key=session.id)


class BaseSessionStore(ABC, Generic[SessionT]):
    """The interface that code which uses a store depends on.

    A backend that is no bucket (Redis, SQL, …) subclasses it with ``save``, ``load``, ``delete``, ``list`` and
    ``exists``. The other methods have defaults: loads of parts return None, and saves of parts raise
    ``NotSupportedError`` unless the part is empty.
    """

    @property
    def backend_name(self) -> str:
        """``"s3"``, ``"file"``, ``"memory"``, or a backend's own; ``"unknown"`` when a backend does not name itself."""
        return "unknown"

    @property
    def location(self) -> str:
        """The place of the sessions, for messages; without secrets."""
        return self.backend_name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.location}>"

    @abstractmethod
    def save(self, session: SessionT, *, overwrite: bool = False) -> None:
        """Save the session, whole or not at all.

        Raises ``SessionConflictError``, and changes nothing, when the save would replace a version that its caller
        has not seen: the session exists although this one was not loaded from here, or it was changed or deleted since.
        ``overwrite=True`` replaces any version.
        """

    @abstractmethod
    def load(self, id: str) -> SessionT | None:
        """Return the session, or None when it does not exist. Raises ``SessionCorruptedError`` when it cannot be read."""

    @abstractmethod
    def delete(self, id: str) -> None:
        """Delete the session and all its parts. A missing session counts as deleted."""

    @abstractmethod
    def list(self) -> Ids:
        """Return the ids of all sessions."""

    @abstractmethod
    def exists(self, id: str) -> bool:
        """Return whether the session exists."""

    def update(
        self,
        id: str,
        change: Callable[[SessionT], SessionT | None],
        *,
        attempts: int = 10,
        create: Callable[[], SessionT] | None = None,
    ) -> SessionT:
        """Load the session, change it, and save it; after a conflict start over from a fresh load.

        ``change`` gets a freshly loaded session each time. It edits the session in place or returns the one to save, and may
        run up to ``attempts`` times (at least 1). What it raises reaches the caller, and nothing is written. A
        change that changes nothing writes nothing. When the session does not exist, ``create`` makes it, and ``change``
        is applied to the result; without ``create``, ``SessionNotFoundError`` is raised.

        Returns the session as saved. Raises ``SessionConflictError`` after ``attempts`` conflicts,
        and at once when the outcome of a save is unknown, because a repetition could apply the change twice.
        """
        check_function("change", change)
        if create is not None:
            check_function("create", create)
        return retry_after_conflicts(
            partial(self._update_once, id, change, create), attempts=attempts, location=self.location
        )

    def _update_once(
        self,
        id: str,
        change: Callable[[SessionT], SessionT | None],
        create: Callable[[], SessionT] | None,
    ) -> SessionT:
        loaded = self.load(id)
        if loaded is not None:
            session, before = loaded, _printed(loaded)
        elif create is not None:
            session, before = checked_session(create(), object, id, "create"), b""
        else:
            raise SessionNotFoundError(id, self.location)
        changed = self._changed(session, change)
        if _printed(changed) != before:
            self.save(changed)
        return changed

    def _changed(self, session: SessionT, change: Callable[[SessionT], SessionT | None]) -> SessionT:
        """The session after the change. Raises ``InvalidArgumentError`` when ``change`` returned something else."""
        id, model = session.id, type(session)
        result = awaited(change(session))
        changed: SessionT = checked_session(session if result is None else result, model, id, "change")
        if changed is not session:
            hand_over(session, changed)
        return changed

    def list_page(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> SessionPage:
        """Return at most ``limit`` sessions whose ids start with ``prefix``, from the cursor of the previous page on."""
        check_limit(limit)
        check_text("prefix", prefix)
        after = "" if cursor is None else decode_cursor(cursor)
        ids = sorted(self.list(), key=str.encode)
        rest = [id for id in ids if id.startswith(prefix) and id.encode() > after.encode()]
        page = [SessionInfo(id) for id in rest[:limit]]
        return SessionPage(page, encode_cursor(page[-1].id) if len(rest) > limit else None)

    def load_many(self, ids: Items[str], *, concurrency: int = 1) -> Generator[Loaded[SessionT], None, None]:
        """Load many sessions, ``concurrency`` at a time, and yield each id with its result, in the order of ``ids``.

        The result is the session, or None when it does not exist, or the ``SessionBucketError`` of its load, which does not stop
        the others. ``ids`` may be any iterable, even an endless one: at most ``concurrency`` sessions are being loaded or
        wait for the caller. When the caller stops the iteration, or an error of another kind occurs, running loads are
        cancelled; loads in threads are waited for.

        By default it loads one session at a time, since a backend need not support more. Raises ``InvalidArgumentError`` for
        a ``concurrency`` below 1, and for a string as ``ids``.
        """
        check_concurrency(concurrency)
        check_items("ids", ids, may_be_async=True)
        return self._load_each(ids, concurrency)

    def _load_each(self, ids: Items[str], concurrency: int) -> Generator[Loaded[SessionT], None, None]:
        window: deque[PendingCall[Loaded[SessionT]]] = deque()
        with WorkerPool(concurrency) as pool, closing(each(ids)) as all_ids:
            for id in all_ids:
                window.append(pool.start(partial(self._load_or_error, id)))
                if len(window) == concurrency:
                    pool.wait([window[0]])
                    yield window.popleft().result()
            while window:
                pool.wait([window[0]])
                yield window.popleft().result()

    def _load_or_error(self, id: str) -> Loaded[SessionT]:
        try:
            return id, self.load(id)
        except SessionBucketError as error:
            return id, error

    def iter_sessions(self, *, prefix: str = "", concurrency: int = 1) -> Generator[SessionInfo, None, None]:
        """Yield all sessions whose ids start with ``prefix``, in the order of ``list``, as a listing describes them.

        ``concurrency`` is the number of parallel listing requests, for a backend that supports them.
        """
        check_text("prefix", prefix)
        check_concurrency(concurrency)
        for id in self.list():
            if id.startswith(prefix):
                yield SessionInfo(id)

    def save_artifacts(self, id: str, artifacts: ArtifactStore) -> None:
        """Save the session's tool outputs, replacing those saved before."""
        if len(artifacts):
            raise self._unsupported("artifacts")

    def load_artifacts(self, id: str) -> ArtifactStore | None:
        """Return the session's tool outputs, or None when none were saved."""
        return None

    def put_file(self, id: str, name: str, data: FileSource, *, content_type: str | None = None) -> None:
        """Store a file of the session."""
        raise self._unsupported("files")

    def open_file(self, id: str, name: str) -> FileReader:
        """Open a file of the session for reading."""
        raise self._unsupported("files")

    def list_files(self, id: str) -> Files:
        """Return the session's files, in the order of their keys."""
        return []

    def delete_file(self, id: str, name: str) -> None:
        """Delete a file of the session. A missing file counts as deleted."""

    def presign_file(self, id: str, name: str, expires_in: timedelta) -> str:
        """Return a presigned URL of a file, from which anyone can download it without credentials."""
        raise NotSupportedError(
            f"the {self.backend_name} store has no presigned URLs; serve the file yourself"
        )

    def save_trace_events(self, id: str, events: Sequence[TraceEvent]) -> None:
        """Save the session's trace events, replacing those saved before."""
        if events:
            raise self._unsupported("trace events")

    def append_trace_events(self, id: str, events: Sequence[TraceEvent], *, attempts: int = 10) -> None:
        """Add trace events to those saved before."""
        if events:
            raise self._unsupported("trace events")

    def load_trace_events(self, id: str) -> TraceEvents | None:
        """Return the session's trace events, or None when none were saved."""
        return None

    def save_verification_reports(self, id: str, reports: Sequence[VerificationReport]) -> None:
        """Save the session's verification reports, replacing those saved before."""
        if reports:
            raise self._unsupported("verification reports")

    def load_verification_reports(self, id: str) -> VerificationReports | None:
        """Return the session's verification reports, or None when none were saved."""
        return None

    def save_turn(
        self,
        session: SessionT,
        *,
        artifacts: ArtifactStore | None = None,
        trace_events: Sequence[TraceEvent] | None = None,
        verification_reports: Sequence[VerificationReport] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Save a whole turn: the parts first, concurrently, and the session last. A part that is None is not changed."""
        calls: Calls = []
        if artifacts is not None:
            calls.append(partial(self.save_artifacts, session.id, artifacts))
        if trace_events is not None:
            calls.append(partial(self.save_trace_events, session.id, trace_events))
        if verification_reports is not None:
            calls.append(partial(self.save_verification_reports, session.id, verification_reports))
        gather(calls)
        self.save(session, overwrite=overwrite)

    def health_check(self) -> None:
        """Return when the store can be used. Otherwise raise an error that names the problem and the remedy."""
        self.list()

    def close(self) -> None:
        """Close all connections. The store may be used again afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _unsupported(self, what: str) -> NotSupportedError:
        return NotSupportedError(f"the {self.backend_name} store keeps no {what}; nothing was written")
