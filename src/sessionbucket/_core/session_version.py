"""The version of the object that a session was read from or written as, remembered on the session.

The version is never serialised and is no part of ``==``. ``SessionData`` has a private attribute for it, which its copies
keep. A user's own model keeps it among its instance attributes, outside its fields. A model that allows unknown members
*and* validates assignments would turn such an attribute into a member. For such a model a table outside the session holds
the version, and a copy of the session starts without one.
"""

from __future__ import annotations

import weakref
from typing import Any

from pydantic import BaseModel

from sessionbucket.models._base import StoredVersion

_ATTRIBUTE = "_stored_version"

_table: dict[int, StoredVersion] = {}


def remember(session: object, stored: StoredVersion) -> None:
    """Note on the session which version of which object it now is."""
    if isinstance(session, BaseModel) and _ATTRIBUTE in session.__private_attributes__:
        setattr(session, _ATTRIBUTE, stored)
    elif _turns_attributes_into_members(session):
        if id(session) not in _table:
            weakref.finalize(session, _table.pop, id(session), None)
        _table[id(session)] = stored
    else:
        session.__dict__[_ATTRIBUTE] = stored


def recall(session: object, location: str) -> StoredVersion | None:
    """The version that the session has at this location. None for a new session and one from another location."""
    stored: Any
    if isinstance(session, BaseModel) and _ATTRIBUTE in session.__private_attributes__:
        stored = getattr(session, _ATTRIBUTE)
    elif _turns_attributes_into_members(session):
        stored = _table.get(id(session))
    else:
        stored = session.__dict__.get(_ATTRIBUTE)
    if isinstance(stored, StoredVersion) and stored.version and stored.location == location:
        return stored
    return None


def hand_over(old: object, new: object, location: str) -> None:
    """Give ``new`` the version that ``old`` has at this location."""
    stored = recall(old, location)
    if stored is not None:
        remember(new, stored)


def _turns_attributes_into_members(session: object) -> bool:
    config = getattr(session, "model_config", {})
    return config.get("extra") == "allow" and bool(config.get("validate_assignment"))
