"""Every error a caller can meet: one hierarchy, each with the fields needed to act on it.

The client library's own error, where there was one, is the ``__cause__``. No message and no field
holds a secret or a session's text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

Outcome = Literal["not written", "unknown"]


class SessionBucketError(Exception):
    """The root of everything this package raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Let errors cross process boundaries though their constructors take keywords."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    kind: type[SessionBucketError], args: tuple[Any, ...], state: dict[str, Any]
) -> SessionBucketError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InvalidArgumentError(SessionBucketError, ValueError):
    """A caller's value breaks a rule: an option, a URL, a cursor, a name, or a session that cannot be written.

    Nothing was written.
    """


class InvalidSessionIdError(InvalidArgumentError):
    """A session id breaks a rule of the layout. Nothing was read or written."""

    def __init__(self, session_id: str, rule: str) -> None:
        super().__init__(f"session id {shorten(session_id)} is refused: {rule}")
        self.session_id = session_id
        self.rule = rule


class SessionNotFoundError(SessionBucketError, LookupError):
    """``update`` was asked for a session that does not exist. Nothing was written."""

    def __init__(self, session_id: str, location: str) -> None:
        super().__init__(
            f"session {shorten(session_id)} does not exist in {location}; "
            "save it first, or pass `create` to make it on first use"
        )
        self.session_id = session_id
        self.location = location


class FileNotInStoreError(SessionBucketError, LookupError):
    """``open_file`` was asked for a large artifact that does not exist."""

    def __init__(self, session_id: str, name: str, location: str) -> None:
        super().__init__(f"session {shorten(session_id)} has no file {shorten(name)} in {location}")
        self.session_id = session_id
        self.name = name
        self.location = location


class SessionConflictError(SessionBucketError):
    """The save would have replaced something its caller has not seen.

    ``outcome`` is ``"not written"`` when nothing was changed, and ``"unknown"`` when no answer could
    be had that settles it. ``attempts`` counts the tries that ended in a conflict.
    """

    def __init__(
        self, session_id: str, *, key: str, location: str, outcome: Outcome = "not written", attempts: int = 1
    ) -> None:
        tries = f" after {attempts} attempts" if attempts > 1 else ""
        fate = (
            "nothing was written"
            if outcome == "not written"
            else "whether this save was written is not known"
        )
        super().__init__(
            f"session {shorten(session_id)} was changed, created or deleted by someone else{tries}: {fate} "
            f"(key {key!r} in {location}); load it again and repeat the change, or use update()"
        )
        self.session_id = session_id
        self.key = key
        self.location = location
        self.outcome: Outcome = outcome
        self.attempts = attempts


class SessionCorruptedError(SessionBucketError):
    """An object is not what its key says. The object is left as it was."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key!r} cannot be read: {reason}; the object was left as it is")
        self.key = key
        self.reason = reason


class SessionTooLargeError(SessionBucketError):
    """A body is larger than the store's limit, in bytes. Nothing was parsed or written."""

    def __init__(self, key: str, *, size: int, limit: int) -> None:
        super().__init__(
            f"{key!r} has {size:,} bytes, more than the limit of {limit:,}; "
            "put large contents in files with put_file(), or open the store with a larger max_bytes"
        )
        self.key = key
        self.size = size
        self.limit = limit


class ConditionalWritesUnsupportedError(SessionBucketError):
    """The server does not keep the conditions of a save, so an update could be lost. Nothing was saved.

    ``capability`` is ``"not atomic"``, ``"ignored"`` or ``"refused"``.
    """

    def __init__(self, location: str, *, capability: str, failed: str) -> None:
        super().__init__(
            f"{location} does not keep conditional writes ({capability}): {failed}; use another server, or open the "
            'store with conditional_writes="off" if it has one writer only'
        )
        self.location = location
        self.capability = capability
        self.failed = failed


class StorageError(SessionBucketError):
    """What the storage said no to: the location, the key if one was meant, and the reason."""

    def __init__(self, reason: str, *, location: str, key: str | None = None) -> None:
        at = f" (key {key!r})" if key else ""
        super().__init__(f"{location}{at}: {reason}")
        self.reason = reason
        self.location = location
        self.key = key


class StoreUnavailableError(StorageError):
    """The storage did not answer, or answered that it can't now. A later try may succeed.

    ``outcome`` is ``"not written"`` when nothing was changed, and ``"unknown"`` when a write may have been done.
    """

    def __init__(
        self, reason: str, *, location: str, key: str | None = None, outcome: Outcome = "not written"
    ) -> None:
        super().__init__(reason, location=location, key=key)
        self.outcome: Outcome = outcome
        if outcome == "unknown":
            self.args = (f"{self}; whether a write was done is not known",)

    def with_outcome(self, outcome: Outcome) -> StoreUnavailableError:
        """The same error with another outcome."""
        return StoreUnavailableError(self.reason, location=self.location, key=self.key, outcome=outcome)


class AccessDeniedError(StorageError):
    """The credentials, or the permissions of a folder, do not allow the request."""


class BucketNotFoundError(StorageError):
    """The bucket or the root folder does not exist."""


class DeleteIncompleteError(SessionBucketError):
    """Some keys could not be deleted. ``keys`` are those left; the delete can be repeated."""

    def __init__(self, keys: Sequence[str], *, location: str, reason: str) -> None:
        named = ", ".join(repr(key) for key in keys[:5]) + (", …" if len(keys) > 5 else "")  # noqa: PLR2004
        super().__init__(f"{location}: {len(keys)} keys are left: {named} ({reason}); repeat the delete")
        self.keys = list(keys)
        self.location = location
        self.reason = reason


class NotSupportedError(SessionBucketError):
    """The backend cannot do this. Nothing was written."""


def shorten(name: str, limit: int = 80) -> str:
    """A name as it may stand in a message: quoted, and cut when long."""
    return repr(name if len(name) <= limit else name[:limit] + "…")
