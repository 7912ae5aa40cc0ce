"""The results of store operations: listings, documents, a probe of the server, and copies."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Literal, NamedTuple

from sessionbucket._core.objects import Kept
from sessionbucket._core.write_ids import WrittenVersion


class SessionInfo(NamedTuple):
    """A session as a listing describes it, without its body. A tuple, because a listing can make a hundred thousand of them.

    ``size`` is in bytes. ``version`` is the ETag, or None when the listing does not give it (a folder). A backend
    that is no bucket may give the id alone.
    """

    id: str
    size: int | None = None
    updated_at: datetime | None = None
    version: str | None = None


class SessionPage(NamedTuple):
    """One page of sessions, and the cursor of the next page or None on the last.

    A cursor is opaque, holds no secret, and is valid in any process at any later time. The next page starts after the
    last session of this one, even when sessions were created or deleted in between.
    """

    sessions: list[SessionInfo]
    next_cursor: str | None


class FileInfo(NamedTuple):
    """A file of a session as a listing describes it; ``size`` is in bytes."""

    name: str
    size: int
    updated_at: datetime
    version: str | None = None


class Document(NamedTuple):
    """A document: its key relative to the folder of its document store, its body, and the version that the body is.

    ``size`` is in bytes. ``updated_at`` is None after a write, since the response to a PUT has no time.
    """

    key: str
    body: bytes
    size: int
    updated_at: datetime | None
    written: WrittenVersion
    """The version with its write history, for the next write on top of it."""

    @property
    def version(self) -> str:
        """The ETag, with its quotes."""
        return self.written.version

    def __repr__(self) -> str:
        return f"Document(key={self.key!r}, size={self.size}, version={self.version!r})"


class Unseen(Enum):
    """The type of ``UNSEEN``."""

    UNSEEN = "unseen"


UNSEEN = Unseen.UNSEEN
"""``update(seen=UNSEEN)``: the caller remembers no version of the document, so the update reads it first."""


class DocumentInfo(NamedTuple):
    """A document as a listing describes it, without its body.

    ``size`` is in bytes. ``version`` is None when the listing does not give it (a folder).
    """

    key: str
    size: int
    updated_at: datetime
    version: str | None = None


class IntegrationInfo(NamedTuple):
    """A thread, session or conversation of an integration, as a listing describes it.

    ``names`` identify it: the thread of ``langgraph``; the labels of a namespace of ``langgraph-store``; the session of
    ``openai-agents``; the conversation of ``pydantic-ai``; the project and the session of ``claude``; the app, the user and the
    session of ``adk`` and ``adk-artifacts``, or of artifacts for all sessions the app and the user; the first two segments of the
    keys of ``strands``; the folder and the name of a session, a history, a checkpoint or a workflow of ``agent-framework``; the key of
    ``llama-index``. ``objects`` is their number, ``size`` that of all in bytes, and ``updated_at`` the latest time. ``path`` has the
    names as keys have them, joined by ``/``.
    """

    names: tuple[str, ...]
    objects: int
    size: int
    updated_at: datetime
    path: str


class IntegrationPage(NamedTuple):
    """One page of an integration's items, and the cursor of the next page or None on the last, as in a ``SessionPage``."""

    items: list[IntegrationInfo]
    next_cursor: str | None


class ConditionalWriteSupport(StrEnum):
    """Whether a server enforces the conditions of writes."""

    ATOMIC = "atomic"
    """The server enforces conditions, and of several racing writers exactly one wins."""
    NOT_ATOMIC = "not atomic"
    """The server evaluates conditions, but several racing writers win, or none."""
    IGNORED = "ignored"
    """The server accepts conditions and does not enforce them."""
    REFUSED = "refused"
    """The server refuses conditional requests."""
    OFF = "off"
    """The store was opened with ``conditional_writes="off"``: it writes unconditionally."""


class ProbeResult(NamedTuple):
    """The result of a probe, and the reason when it is not ``ATOMIC``.

    ``deletes`` says whether deletes are conditional, too, and ``bare_etags`` whether the server requires conditions without quotes.
    """

    support: ConditionalWriteSupport
    reason: str = ""
    deletes: bool = False
    bare_etags: bool = False


CopyOutcome = Literal["copied", "same", "conflict", "missing", "failed"]


class CopyResult(NamedTuple):
    """The result of copying one session.

    ``outcome`` is ``"copied"``; ``"same"`` when the destination had everything; ``"conflict"`` when it had something else, which was
    left unchanged; ``"missing"`` when the source has no such session; or ``"failed"``. ``detail`` names what differs, or the
    error. ``total`` is the number of results of the whole copy. ``kind`` is ``"checkpoint"`` for a checkpoint of a3s-code, which
    belongs to no session, and ``"document"`` for a document of an integration; their ``id`` is the key in the store. An append log
    is one document with its sealed segments.
    """

    id: str
    outcome: CopyOutcome
    detail: str
    total: int
    kind: Literal["session", "checkpoint", "document"] = "session"


ReencryptOutcome = Literal["encrypted", "current", "failed"]


class ReencryptResult(NamedTuple):
    """The result of encrypting one object again.

    ``key`` is the key of the object in the bucket. ``outcome`` is ``"encrypted"``; ``"current"`` when its key was the current one; or
    ``"failed"``, and ``detail`` is the error.
    """

    key: str
    outcome: ReencryptOutcome
    detail: str = ""


class SessionVersion(NamedTuple):
    """A version of a session that a versioned bucket keeps.

    ``version_id`` is the server's name of it. ``saved_at`` has whole seconds on most servers. ``size`` is in bytes. ``is_delete`` says
    that the session was deleted then; such a version has no contents. ``version`` is the ETag.
    """

    version_id: str
    saved_at: datetime
    size: int
    is_current: bool
    is_delete: bool
    version: str | None


class SessionDiff(NamedTuple):
    """The difference between two versions of a session.

    Both begin with the same ``common`` messages. ``dropped`` has the further messages of the first version, ``added`` those of
    the second, as JSON values. ``changed`` has every other member that differs, by its path, with both values; None for a missing one.
    """

    id: str
    common: int
    dropped: list[Any]
    added: list[Any]
    changed: dict[str, tuple[Any, Any]]


class ErasureReport(NamedTuple):
    """What an erasure did, for a reader who must prove it. It holds keys, and so the id, but nothing of a session's text.

    In a dry run, ``verified_at`` is None and the numbers are those of what would be erased. In a bucket without versions a delete
    leaves nothing, so the objects that were deleted count as versions.
    """

    id: str
    location: str
    erased_versions: int
    """Versions and delete markers."""
    erased_bytes: int
    keys: list[str]
    """The keys of everything that was erased or, by a redaction, rewritten."""
    kept: list[Kept]
    """The versions that remain, each with the reason."""
    recreated: list[str]
    """The keys that another writer wrote anew meanwhile. What they have now was left alone."""
    uploads_aborted: int
    """Unfinished uploads of files, and temporary objects of interrupted writes."""
    not_covered: list[str]
    """What no store can reach, and whatever else this erasure left."""
    verified_at: datetime | None
    """The time after which a listing showed nothing more to erase."""
