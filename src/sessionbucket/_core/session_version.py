"""The version of the object that a session was read from or written as, remembered on the session.

The version is never serialised and is no part of ``==``. It is an attribute of the set in which pydantic keeps the names of the given
fields, because copies keep that set and an assignment validates no part of it. So it works for every pydantic model: frozen
models, and models that allow unknown members and validate assignments. A conversation is no pydantic model, and has a field for it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_FIELDS_SET = "__pydantic_fields_set__"
_FIELD = "_stored"


class StoredVersion(NamedTuple):
    """The object that a session is: its location, key, version and write history, and later writes that may have been done.

    ``version`` is empty when the session was never read, and all writes of it are pending. ``pending`` has write ids; in a bucket
    without metadata, where no object has a write history, it has the MD5s of the bodies. ``dropped`` has the members of the object
    that the model of the session ignores.
    """

    location: str
    key: str
    version: str = ""
    history: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


class _GivenFields(set[str]):
    """The names of the given fields of a session, and its version."""

    stored: StoredVersion

    def __repr__(self) -> str:
        return repr(set(self))


def remember(session: Any, stored: StoredVersion) -> None:
    """Note on the session which version of which object it now is."""
    fields = getattr(session, _FIELDS_SET, None)
    if fields is None:
        setattr(session, _FIELD, stored)
        return
    if not isinstance(fields, _GivenFields):
        fields = _GivenFields(fields)
        object.__setattr__(session, _FIELDS_SET, fields)
    fields.stored = stored


def recall(session: Any) -> StoredVersion | None:
    """The version of a session from any location. None for a new session."""
    fields = getattr(session, _FIELDS_SET, None)
    stored: StoredVersion | None = (
        getattr(session, _FIELD, None) if fields is None else getattr(fields, "stored", None)
    )
    return stored


def forget(session: Any) -> None:
    """Make the session a new one, of no version."""
    object.__setattr__(session, _FIELDS_SET, set(getattr(session, _FIELDS_SET)))


def hand_over(old: Any, new: Any) -> None:
    """Give ``new`` the version of ``old``."""
    stored = recall(old)
    if stored is not None:
        remember(new, stored)
