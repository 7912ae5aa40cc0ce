"""The state that sessions of ADK share: that of an app, and that of a user in it, in one document each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from google.adk.sessions.state import State

from sessionbucket import Document, SessionCorruptedError, encode_segment

if TYPE_CHECKING:
    from sessionbucket import AsyncDocumentStore

_FORMAT = 1
_APPLIED = 64
_PREFIXES = {"app": State.APP_PREFIX, "user": State.USER_PREFIX}

Data = dict[str, Any]


class SharedState:
    """The documents of apps and users. Each has the state, and the ids of the newest changes in it.

    A session stores the changes that it owes to them before they do, so a change is applied by its id, and at most once.
    """

    def __init__(self, documents: AsyncDocumentStore) -> None:
        self._documents = documents

    async def get(self, keys: Iterable[str]) -> dict[str, Data]:
        """The decoded documents by their keys, all read at once; an empty one for a missing document."""
        chosen = [*keys]
        found = await self._documents.get_many(chosen)
        return {key: self._decoded(document) for key, document in zip(chosen, found, strict=True)}

    async def apply(self, app_name: str, user_id: str, changes: list[Data]) -> None:
        """Store the changes that a session owes to its app and user."""
        keys = keys_of(app_name, user_id)
        await asyncio.gather(*(self._apply(key, scope, changes) for scope, key in keys.items()))

    async def _apply(self, key: str, scope: str, changes: list[Data]) -> None:
        def change(document: Document | None) -> bytes | None:
            stored = self._decoded(document)
            new = [each for each in changes if each[scope] and each["id"] not in stored["applied"]]
            for each in new:
                stored["state"] |= each[scope]
                stored["applied"] = [each["id"], *stored["applied"]][:_APPLIED]
            return json.dumps(stored).encode() if new else None

        if any(each[scope] for each in changes):
            await self._documents.update(key, change)

    def _decoded(self, document: Document | None) -> Data:
        if document is None:
            return {"format": _FORMAT, "state": {}, "applied": []}
        try:
            match json.loads(document.body):
                case {"format": 1, "state": dict(), "applied": list()} as data:
                    return data
        except ValueError:
            pass
        raise SessionCorruptedError(
            self._documents.full_key(document.key), f"it is no state of format {_FORMAT}"
        )


def keys_of(app_name: str, user_id: str) -> dict[str, str]:
    """The keys of the documents of an app and of a user in it."""
    app = encode_segment(app_name)
    return {"app": f"{app}/app.json", "user": f"{app}/u/{encode_segment(user_id)}/user.json"}


def owed_changes(deltas: Mapping[str, Data]) -> list[Data]:
    """The change that a session owes to its app and user, if there is one."""
    if not deltas["app"] and not deltas["user"]:
        return []
    return [{"id": uuid4().hex, "app": deltas["app"], "user": deltas["user"]}]


def merged_state(session: Data, stored: Mapping[str, Data]) -> Data:
    """The state of a session with that of its app and user, which includes the changes that it owes to them."""
    state = {**session["state"]}
    for scope, key in keys_of(session["app_name"], session["user_id"]).items():
        owed = [each[scope] for each in session["owed"] if each["id"] not in stored[key]["applied"]]
        for values in (stored[key]["state"], *owed):
            state.update({_PREFIXES[scope] + name: value for name, value in values.items()})
    return state
