"""Which version of which object a session is: remembered on the session, never serialised, not part of ``==``.

``SessionData`` has a private attribute for it, which its copies keep. A model of a user's own keeps it among its
instance attributes, outside its fields. One that allows unknown members *and* validates assignments would turn
such an attribute into a member, so there it is kept beside the session, and a copy starts without it.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

_ATTRIBUTE = "_stored_version"


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """The version of the object that a session was read from or written as. All are equal, for ``==`` of sessions."""

    location: str = field(default="", compare=False)
    key: str = field(default="", compare=False)
    version: str = field(default="", compare=False)
    chain: tuple[str, ...] = field(default=(), compare=False)


NOT_STORED = StoredVersion()

_beside: dict[int, StoredVersion] = {}


def remember(session: object, stored: StoredVersion) -> None:
    """Note on the session which object it now is."""
    if _has_private_attribute(session):
        setattr(session, _ATTRIBUTE, stored)
    elif _would_become_a_member(session):
        if id(session) not in _beside:
            weakref.finalize(session, _beside.pop, id(session), None)
        _beside[id(session)] = stored
    else:
        session.__dict__[_ATTRIBUTE] = stored


def recall(session: object, location: str) -> StoredVersion | None:
    """The object this session is at the location, or None if it is from elsewhere or was never stored."""
    stored: Any
    if _has_private_attribute(session):
        stored = getattr(session, _ATTRIBUTE)
    elif _would_become_a_member(session):
        stored = _beside.get(id(session))
    else:
        stored = session.__dict__.get(_ATTRIBUTE)
    return (
        stored
        if isinstance(stored, StoredVersion) and stored.version and stored.location == location
        else None
    )


def hand_over(old: object, new: object, location: str) -> None:
    """Let ``new`` stand for the same version of the object as ``old``."""
    stored = recall(old, location)
    if stored is not None:
        remember(new, stored)


def _has_private_attribute(session: object) -> bool:
    return isinstance(session, BaseModel) and _ATTRIBUTE in session.__private_attributes__


def _would_become_a_member(session: object) -> bool:
    config = getattr(session, "model_config", {})
    return config.get("extra") == "allow" and bool(config.get("validate_assignment"))
