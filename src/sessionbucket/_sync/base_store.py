"""The interface of every session store, bucket or not, and the defaults of what a backend need not have."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, Self

from pydantic_core import to_json
from typing_extensions import TypeVar

from sessionbucket._concurrency.threads import Crew, FileSource, Items, closing, each, gather, settled, sleep
from sessionbucket._core.pagination import (
    FileInfo,
    SessionInfo,
    SessionPage,
    check_concurrency,
    check_limit,
    read_cursor,
    write_cursor,
)
from sessionbucket._core.retry import turn
from sessionbucket._sync.file_reader import FileReader
from sessionbucket.errors import (
    InvalidArgumentError,
    NotSupportedError,
    SessionBucketError,
    SessionConflictError,
    SessionNotFoundError,
    shorten,
)
from sessionbucket.models.session import SessionData

if TYPE_CHECKING:
    from sessionbucket._concurrency.threads import Call
    from sessionbucket.models import ArtifactStore, TraceEvent, VerificationReport

    TraceEvents = list[TraceEvent]
    VerificationReports = list[VerificationReport]

logger = logging.getLogger(__name__)


class HasId(Protocol):
    """Any pydantic model with an ``id: str``."""

    @property
    def id(self) -> str: ...


SessionT = TypeVar("SessionT", bound=HasId, default=SessionData)

Loaded = tuple[str, SessionT | SessionBucketError | None]
"""An id, with the session, None where there is none, or the error that the load of it met."""

# Inside the classes ``list`` is the method.
Ids = list[str]
Files = list[FileInfo]
Calls = list[Callable[[], None]]


class BaseSessionStore(ABC, Generic[SessionT]):
    """What code that only uses a store depends on.

    A backend that is no bucket (Redis, SQL, …) subclasses it with ``save``, ``load``, ``delete``, ``list`` and
    ``exists``. The rest has defaults: loads of parts give None, saves of parts that would drop data raise
    ``NotSupportedError``, and saves of nothing are fine.
    """

    @property
    def backend_name(self) -> str:
        """``"s3"``, ``"file"``, ``"memory"``, or a backend's own."""
        return "custom"

    @property
    def location(self) -> str:
        """Where the sessions are kept, for messages; without secrets."""
        return self.backend_name

    @abstractmethod
    def save(self, session: SessionT, *, overwrite: bool = False) -> None:
        """Save the session, whole or not at all.

        Raises ``SessionConflictError``, and changes nothing, where the save would replace something its caller
        has not seen: a session that exists though this one was not loaded from here, one that was changed since,
        or one that was deleted. ``overwrite=True`` saves whatever is there.
        """

    @abstractmethod
    def load(self, id: str) -> SessionT | None:
        """The session, or None where there is none. Raises ``SessionCorruptedError`` for one that can't be read."""

    @abstractmethod
    def delete(self, id: str) -> None:
        """Delete the session and all its parts. Deleting what is not there is fine."""

    @abstractmethod
    def list(self) -> Ids:
        """The ids of all sessions."""

    @abstractmethod
    def exists(self, id: str) -> bool:
        """Whether the session is there."""

    def update(
        self,
        id: str,
        change: Callable[[SessionT], SessionT | None],
        *,
        attempts: int = 10,
        create: Callable[[], SessionT] | None = None,
    ) -> SessionT:
        """Load, change, save; and start over from a fresh load when someone else saved in between.

        ``change`` gets a freshly loaded session each time, edits it in place or returns the one to save, and may be
        called up to ``attempts`` times (at least 1). What it raises passes through, and nothing is written. A
        change that changes nothing writes nothing. Where the session does not exist, ``create`` makes it (``change``
        is applied to what it gives); without it ``SessionNotFoundError`` is raised.

        Gives the session as saved. Raises ``SessionConflictError`` with the count when all attempts met a conflict,
        and at once when a save's outcome is unknown, since a repetition could apply the change twice.
        """
        if attempts < 1:
            raise InvalidArgumentError(f"attempts {attempts} is refused: it must be at least 1")
        for attempt in range(1, attempts + 1):
            begun = time.monotonic()
            loaded = self.load(id)
            if loaded is None and create is None:
                raise SessionNotFoundError(id, self.location)
            session = create() if loaded is None and create else loaded
            assert session is not None  # noqa: S101 (narrowing)
            before = to_json(loaded) if loaded is not None else None
            changed = settled(change(session))
            if changed is not None and changed is not session:
                self._hand_over(session, changed)
                session = changed
            if session.id != id:
                raise InvalidArgumentError(
                    f"the change of session {id!r} altered its id; nothing was written"
                )
            if to_json(session) == before:
                return session
            try:
                self.save(session)
            except SessionConflictError as error:
                if error.outcome == "unknown" or attempt == attempts:
                    error = SessionConflictError(
                        id, key=error.key, location=error.location, outcome=error.outcome, attempts=attempt
                    )
                    raise error from error.__cause__
            else:
                return session
            logger.warning("someone else saved a session in %s meanwhile; attempt %d", self.location, attempt)
            sleep(turn(attempt, begun))
        raise AssertionError  # pragma: no cover

    def _hand_over(self, old: SessionT, new: SessionT) -> None:
        """Called when a change returned another object than it was given: ``new`` is a change of ``old``."""

    def list_page(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> SessionPage:
        """At most ``limit`` sessions whose ids start with ``prefix``, from the cursor of the page before on."""
        check_limit(limit)
        after = read_cursor(cursor) if cursor else ""
        ids = sorted(self.list(), key=str.encode)
        rest = [id for id in ids if id.startswith(prefix) and id.encode() > after.encode()]
        page = [SessionInfo(id) for id in rest[:limit]]
        return SessionPage(page, write_cursor(page[-1].id) if len(rest) > limit else None)

    def load_many(self, ids: Items[str], *, concurrency: int = 1) -> Generator[Loaded[SessionT], None, None]:
        """Load many sessions, ``concurrency`` at a time, and give each id with what became of it, in the order of ``ids``.

        That is the session, None where there is none, or the ``SessionBucketError`` that its load met; it does not stop the
        others. ``ids`` may be any iterable, an endless one too: it is taken from as results are asked for, and no more
        than ``concurrency`` sessions are being loaded or wait to be given. When the iteration is broken off or an
        error of another kind comes up, what is under way is cancelled, or waited for where it runs in threads.

        By default one is loaded at a time, since a backend need not be made for more. Raises ``InvalidArgumentError`` for
        a ``concurrency`` below 1, and for a text in the place of ``ids``.
        """
        check_concurrency(concurrency)
        if isinstance(ids, str):
            raise InvalidArgumentError(f"ids {shorten(ids)} is refused: it is one text; give a list of ids")
        return self._load_each(ids, concurrency)

    def _load_each(self, ids: Items[str], concurrency: int) -> Generator[Loaded[SessionT], None, None]:
        window: deque[Call[Loaded[SessionT]]] = deque()
        with Crew(concurrency) as crew, closing(each(ids)) as every:
            for id in every:
                window.append(crew.start(partial(self._load_or_error, id)))
                if len(window) == concurrency:
                    crew.wait([window[0]])
                    yield window.popleft().result()
            while window:
                crew.wait([window[0]])
                yield window.popleft().result()

    def _load_or_error(self, id: str) -> Loaded[SessionT]:
        try:
            return id, self.load(id)
        except SessionBucketError as error:
            return id, error

    def iter_sessions(self, *, prefix: str = "", concurrency: int = 1) -> Generator[SessionInfo, None, None]:
        """All sessions whose ids start with ``prefix``, in the order of ``list``, as the listing tells them.

        Where a backend can list in several requests at once, ``concurrency`` is how many.
        """
        check_concurrency(concurrency)
        for id in self.list():
            if id.startswith(prefix):
                yield SessionInfo(id)

    def save_artifacts(self, id: str, artifacts: ArtifactStore) -> None:
        """Save the session's tool outputs, replacing those saved before."""
        if len(artifacts):
            raise self._unsupported("artifacts")

    def load_artifacts(self, id: str) -> ArtifactStore | None:
        """The session's tool outputs, or None where none were saved."""
        return None

    def put_file(self, id: str, name: str, data: FileSource, *, content_type: str | None = None) -> None:
        """Put a large or binary artifact beside the session."""
        raise self._unsupported("files")

    def open_file(self, id: str, name: str) -> FileReader:
        """Open a large artifact for reading."""
        raise self._unsupported("files")

    def list_files(self, id: str) -> Files:
        """The session's large artifacts, in the order of their keys."""
        return []

    def delete_file(self, id: str, name: str) -> None:
        """Delete a large artifact. Deleting what is not there is fine."""

    def presign_file(self, id: str, name: str, expires_in: timedelta) -> str:
        """A link to a large artifact, for whoever is to fetch it without credentials."""
        raise NotSupportedError(
            f"the {self.backend_name} store has no links to sign; serve the file yourself"
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
        """The session's trace events, or None where none were saved."""
        return None

    def save_verification_reports(self, id: str, reports: Sequence[VerificationReport]) -> None:
        """Save the session's verification reports, replacing those saved before."""
        if reports:
            raise self._unsupported("verification reports")

    def load_verification_reports(self, id: str) -> VerificationReports | None:
        """The session's verification reports, or None where none were saved."""
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
        """Save a whole turn: the parts first, at the same time, and the session last; None leaves a part alone."""
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
        """Give None when the store can be used, and otherwise an error that says what is wrong and what to do."""
        self.list()

    def close(self) -> None:
        """Let go of connections. The store may be used again afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _unsupported(self, what: str) -> NotSupportedError:
        return NotSupportedError(f"the {self.backend_name} store keeps no {what}; nothing was written")
