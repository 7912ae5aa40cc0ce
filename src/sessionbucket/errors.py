"""Every error that the library raises: one hierarchy, each error with the fields that a caller acts on.

The ``__cause__`` is the error of the client library, if any. No message and no field holds a secret or the text of a session.

A bad argument, also one of a wrong type, raises ``InvalidArgumentError``, a ``ValueError`` whose message names the argument and the
rule. A call that does not fit a signature raises Python's ``TypeError``. The constructors of ``sessionbucket.models`` raise pydantic's
``ValidationError``, a ``ValueError`` too, which names the field.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from sessionbucket._core.results import ErasureReport

Outcome = Literal["not written", "unknown"]
ConflictKind = Literal["exists", "changed", "deleted", "loaded elsewhere"]


class SessionBucketError(Exception):
    """The base class of every error that this library raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Support pickling, although the constructors take keywords."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    kind: type[SessionBucketError], args: tuple[Any, ...], state: dict[str, Any]
) -> SessionBucketError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InvalidArgumentError(SessionBucketError, ValueError):
    """An argument breaks a rule: an option, a URL, a cursor, a name, or a session that cannot be written.

    Nothing was written.
    """


class InvalidSessionIdError(InvalidArgumentError):
    """A session id breaks a rule. Nothing was read or written."""

    def __init__(self, session_id: str, rule: str) -> None:
        super().__init__(f"session id {shorten(session_id)} is refused: {rule}")
        self.session_id = session_id
        self.rule = rule


class SessionNotFoundError(SessionBucketError, LookupError):
    """``update`` was called for a session that does not exist. Nothing was written."""

    def __init__(self, session_id: str, location: str) -> None:
        super().__init__(
            f"session {shorten(session_id)} does not exist in {location}; "
            "save it first, or pass `create` to make it on first use"
        )
        self.session_id = session_id
        self.location = location


class VersionNotFoundError(SessionBucketError, LookupError):
    """A session has no such version: it never had one, it was erased, a lifecycle rule has removed it, or it is a delete.

    ``version_id`` is None when no version of the session has what was asked for. Nothing was written.
    """

    def __init__(self, session_id: str, version_id: str | None, *, location: str, reason: str = "") -> None:
        wanted = "no version" if version_id is None else f"no version {shorten(version_id)}"
        because = f" {reason}" if reason else ""
        super().__init__(
            f"session {shorten(session_id)} has {wanted}{because} in {location}; history.versions() lists those that are kept"
        )
        self.session_id = session_id
        self.version_id = version_id
        self.location = location


class FileNotInStoreError(SessionBucketError, LookupError):
    """``open_file`` was called for a file that does not exist."""

    def __init__(self, session_id: str, name: str, location: str) -> None:
        super().__init__(f"session {shorten(session_id)} has no file {shorten(name)} in {location}")
        self.session_id = session_id
        self.name = name
        self.location = location


class PreconditionFailedError(SessionBucketError):
    """The condition of a put did not hold. The request that got this response changed nothing.

    ``retried`` is True when an earlier request of the same put got no response: that one may have changed the object.
    ``is_missing`` is True when the server proved that the key does not exist.
    """

    def __init__(self, key: str, *, location: str, retried: bool = False, is_missing: bool = False) -> None:
        super().__init__(f"{location}: the condition of the request for {key!r} does not hold")
        self.key = key
        self.location = location
        self.retried = retried
        self.is_missing = is_missing


class ConflictError(SessionBucketError):
    """A conditional write would have replaced a version that its caller has not seen.

    ``outcome`` is ``"not written"`` when nothing was changed, and ``"unknown"`` when no response proves whether the write
    was done. ``kind`` is ``"exists"`` for a new document whose key exists, ``"changed"`` when another writer has changed it (or
    deleted it, where the server does not distinguish the two), and ``"deleted"``. ``attempts`` counts the attempts that ended in a
    conflict.
    """

    subject = "the document"
    remedy = "read it again and repeat the change, or use update()"

    def __init__(
        self,
        key: str,
        *,
        location: str,
        outcome: Outcome = "not written",
        kind: ConflictKind = "changed",
        attempts: int = 1,
    ) -> None:
        after = f" ({attempts} attempts)" if attempts > 1 else ""
        fate = (
            "nothing was written" if outcome == "not written" else "this write may or may not have been done"
        )
        super().__init__(
            f"{self.subject} {_CONFLICTS[kind]}{after}; {fate} (key {key!r} in {location}); {self.remedy}"
        )
        self.key = key
        self.location = location
        self.outcome: Outcome = outcome
        self.kind: ConflictKind = kind
        self.attempts = attempts

    def after(self, attempts: int) -> ConflictError:
        """The same error after this many attempts."""
        return ConflictError(
            self.key, location=self.location, outcome=self.outcome, kind=self.kind, attempts=attempts
        )


_AFTER_ANOTHER_STORE = (
    "a session object belongs to the store of its last load or save: load a second object here and repeat the change, or use "
    "update(); save(overwrite=True) replaces any version"
)
_CONFLICTS: dict[ConflictKind, str] = {
    "exists": "exists already",
    "changed": "was changed or deleted by another writer",
    "deleted": "was deleted by another writer",
    "loaded elsewhere": "exists already, and this object was loaded from or last saved in another store",
}


class SessionConflictError(ConflictError):
    """A save would have replaced a version of the session that its caller has not seen.

    ``kind`` can also be ``"loaded elsewhere"``: the session exists in this store, and its object belongs to another store.
    """

    remedy = "load it again and repeat the change, or use update(); save(overwrite=True) replaces any version"

    def __init__(
        self,
        session_id: str,
        *,
        key: str,
        location: str,
        outcome: Outcome = "not written",
        kind: ConflictKind = "changed",
        attempts: int = 1,
    ) -> None:
        self.subject = f"session {shorten(session_id)}"
        if kind == "loaded elsewhere":
            self.remedy = _AFTER_ANOTHER_STORE
        super().__init__(key, location=location, outcome=outcome, kind=kind, attempts=attempts)
        self.session_id = session_id

    def after(self, attempts: int) -> SessionConflictError:
        """The same error after this many attempts."""
        return SessionConflictError(
            self.session_id,
            key=self.key,
            location=self.location,
            outcome=self.outcome,
            kind=self.kind,
            attempts=attempts,
        )


class SessionCorruptedError(SessionBucketError):
    """An object is not what its key promises. The object was left unchanged."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key!r} cannot be read: {reason}; the object was left unchanged")
        self.key = key
        self.reason = reason


class ObjectTooLargeError(SessionBucketError):
    """A body is larger than the limit, in bytes. Nothing was parsed or written."""

    _advice = ""

    def __init__(self, key: str, *, size: int, limit: int) -> None:
        super().__init__(f"{key!r} has {size:,} bytes, more than the limit of {limit:,}{self._advice}")
        self.key = key
        self.size = size
        self.limit = limit


class SessionTooLargeError(ObjectTooLargeError):
    """A session or part is larger than the store's limit, in bytes. Nothing was parsed or written."""

    _advice = "; put large contents in files with put_file(), or open the store with a larger max_bytes"


class ConditionalWritesUnsupportedError(SessionBucketError):
    """The server does not enforce the conditions of writes, so an update could be lost. Nothing was written.

    ``support`` is ``"not atomic"``, ``"ignored"`` or ``"refused"``, and ``reason`` is the observation of the probe.
    """

    def __init__(self, location: str, *, support: str, reason: str) -> None:
        super().__init__(
            f"{location} does not enforce conditional writes ({support}): {reason}; use another server, or open the "
            'store with conditional_writes="off" if it has one writer only'
        )
        self.location = location
        self.support = support
        self.reason = reason


class StorageError(SessionBucketError):
    """The storage refused or failed: the location, the key if there is one, and the reason."""

    def __init__(self, reason: str, *, location: str, key: str | None = None) -> None:
        at = f" (key {key!r})" if key else ""
        super().__init__(f"{location}{at}: {reason}")
        self.reason = reason
        self.location = location
        self.key = key


class StoreUnavailableError(StorageError):
    """The storage gave no response, or a temporary error. A later attempt may succeed.

    ``outcome`` is ``"not written"`` when nothing was changed, and ``"unknown"`` when a write may have been done.
    """

    def __init__(
        self, reason: str, *, location: str, key: str | None = None, outcome: Outcome = "not written"
    ) -> None:
        super().__init__(reason, location=location, key=key)
        self.outcome: Outcome = outcome
        if outcome == "unknown":
            self.args = (f"{self}; a write may or may not have been done",)

    def with_outcome(self, outcome: Outcome) -> StoreUnavailableError:
        """The same error with another outcome."""
        return StoreUnavailableError(self.reason, location=self.location, key=self.key, outcome=outcome)


class AccessDeniedError(StorageError):
    """The credentials, or the permissions of a folder, do not allow the request."""


class BucketNotFoundError(StorageError):
    """The bucket or the root folder does not exist."""


class LeaseHeldError(SessionBucketError):
    """Another worker holds the lease of a session for longer than the caller waits. Nothing was written.

    ``owner`` names the worker, ``token`` is the number of its acquisition, and ``ttl`` is the time for which it holds the lease unless
    it renews it.
    """

    def __init__(self, session_id: str, *, owner: str, token: int, ttl: timedelta, location: str) -> None:
        super().__init__(
            f"the lease of session {shorten(session_id)} in {location} is held by {shorten(owner)} (token {token}) for at most "
            f"{ttl.total_seconds():g} seconds at a time; try again later, or pass a longer `wait`"
        )
        self.session_id = session_id
        self.owner = owner
        self.token = token
        self.ttl = ttl
        self.location = location


class LeaseLostError(SessionBucketError):
    """The time of a lease is over, or another worker has it.

    ``outcome`` is ``"not written"`` when this call wrote nothing, and ``"unknown"`` when an earlier attempt of its save may have been
    done. ``token`` is the number of the acquisition that ended.
    """

    def __init__(
        self, session_id: str, token: int, *, location: str, outcome: Outcome = "not written"
    ) -> None:
        fate = "nothing was written" if outcome == "not written" else "the save may or may not have been done"
        super().__init__(
            f"the lease of session {shorten(session_id)} in {location} (token {token}) was lost; {fate}; acquire it again and load the "
            "session anew, with a longer `ttl` or renew() if the work takes longer"
        )
        self.session_id = session_id
        self.token = token
        self.location = location
        self.outcome: Outcome = outcome

    def with_outcome(self, outcome: Outcome) -> LeaseLostError:
        """The same error with another outcome."""
        return LeaseLostError(self.session_id, self.token, location=self.location, outcome=outcome)


class DeleteIncompleteError(SessionBucketError):
    """Some keys could not be deleted. ``keys`` are the remaining ones; the delete can be repeated."""

    def __init__(self, keys: Sequence[str], *, location: str, reason: str) -> None:
        super().__init__(
            f"{location}: {len(keys)} keys remain: {shorten_list(keys)} ({reason}); repeat the delete"
        )
        self.keys = list(keys)
        self.location = location
        self.reason = reason


class EraseIncompleteError(SessionBucketError):
    """Some versions could not be erased: ``report.kept`` has each with the reason, such as an object lock.

    All others were erased. The call can be repeated.
    """

    def __init__(self, report: ErasureReport) -> None:
        kept = report.kept
        super().__init__(
            f"{report.location}: {len(kept)} versions of session {shorten(report.id)} remain, the first of them "
            f"{shorten(kept[0].key)}: {kept[0].reason}; report.kept has all of them; repeat the call when the reason is gone"
        )
        self.report = report


class NotSupportedError(SessionBucketError):
    """The backend does not support this. Nothing was written."""


def shorten(name: str, limit: int = 80) -> str:
    """A name for a message: quoted, and cut when it is long."""
    return repr(name if len(name) <= limit else name[:limit] + "…")


def shorten_list(names: Sequence[str], most: int = 5) -> str:
    """The first names, for a message."""
    return ", ".join(map(shorten, names[:most])) + (", …" if len(names) > most else "")
