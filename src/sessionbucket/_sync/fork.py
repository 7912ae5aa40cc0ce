# Generated from sessionbucket/_async/fork.py by scripts/generate_sync.py: do not edit.
"""Forks: a new session that begins as a copy of another, or of its first messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, Generic, TypeVar

from sessionbucket._concurrency.threads import gather
from sessionbucket._core.inventory import JSON_PARTS, OPAQUE_PARTS
from sessionbucket._core.keys import SessionKeys, StoreKeys
from sessionbucket._core.objects import StoredObject
from sessionbucket._core.session_version import forget
from sessionbucket._core.tool_calls import cut_tool_calls
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.bucket_listing import list_objects
from sessionbucket._sync.raw_sessions import RawSessions
from sessionbucket._sync.session_writer import SessionWriter
from sessionbucket.errors import InvalidArgumentError, SessionConflictError, shorten
from sessionbucket.models.conversation import Conversation

SessionT = TypeVar("SessionT")

_AT_ONCE = 8
_PARTS = [name for name in JSON_PARTS if name not in OPAQUE_PARTS]
"""The parts of a fork. The run records of a3s-code are those of the old session."""


class Fork(Generic[SessionT]):
    """Makes one new session from another of the same store."""

    def __init__(
        self,
        bucket: Bucket,
        keys: StoreKeys,
        raw: RawSessions,
        writer: SessionWriter,
        save: Callable[[SessionT], None],
    ) -> None:
        """``save`` creates the session."""
        self._bucket = bucket
        self._keys = keys
        self._raw = raw
        self._writer = writer
        self._save = save

    def fork(
        self, session: SessionT, source: StoredObject | None, id: str, new_id: str, messages: int | None
    ) -> SessionT:
        """Save ``session`` under the new id: the parts and files that the session has now first, the session last.

        ``source`` is the current object of the session, or None when it was deleted. Raises ``SessionConflictError`` when the new
        session, or a part of it with other contents, exists.
        """
        forked = forked_session(session, id, new_id, messages)
        target = self._keys.of_session(new_id)
        if self._bucket.exists(target.session):
            raise self._conflict(new_id, target.session)
        parts = gather([partial(self._raw.get_valid_part, name, source) for name in _PARTS] if source else [])
        bodies = {
            self._keys.part_key(name, target.stem): part.body
            for name, part in zip(_PARTS, parts, strict=False)
            if part is not None
        }
        gather([partial(self._put_part, new_id, key, body) for key, body in bodies.items()])
        self._copy_files(self._keys.of_session(id), target, new_id)
        self._save(forked)
        return forked

    def _put_part(self, new_id: str, key: str, body: bytes) -> None:
        """Create a part. One with the same contents may remain of an earlier attempt."""
        try:
            self._writer.write_copied_part(new_id, key, body, overwrite=False)
        except SessionConflictError as error:
            if error.outcome == "unknown":
                raise
            stored = self._writer.stored_body(body)
            found = self._bucket.get(key, max_bytes=len(stored) + 1, first=len(stored) + 1)
            if found is None or found.body != stored:
                raise

    def _copy_files(self, source: SessionKeys, target: SessionKeys, new_id: str) -> None:
        files = list_objects(self._bucket, source.files)
        if not files:
            return
        existing = {info.key: info for info in list_objects(self._bucket, target.files)}
        copies = []
        for info in files:
            key = target.files + info.key.removeprefix(source.files)
            other = existing.get(key)
            if other is not None and other.size != info.size:
                raise self._conflict(new_id, key)
            copies.append(partial(self._bucket.copy, info.key, key))
        gather(copies, limit=_AT_ONCE)

    def _conflict(self, new_id: str, key: str) -> SessionConflictError:
        return SessionConflictError(new_id, key=key, location=self._bucket.location, kind="exists")


def forked_session(session: SessionT, id: str, new_id: str, messages: int | None) -> SessionT:
    """The session as a new one with another id, and only the first messages. Unlike a copy by the model, it remembers no version.

    Raises ``InvalidArgumentError`` for a cut between a tool call and its result, and for a model without messages.
    """
    model: Any = session
    update: dict[str, Any] = {"id": new_id}
    if "parent_id" in getattr(type(model), "model_fields", ()):
        update["parent_id"] = id
    if messages is not None:
        found = getattr(model, "messages", None)
        if not isinstance(found, list):
            raise InvalidArgumentError(
                f"messages is refused: model {type(model).__name__} has no list of messages; nothing was written"
            )
        if messages > len(found):
            raise InvalidArgumentError(
                f"messages {messages} is refused: session {shorten(id)} has {len(found)} messages; nothing was written"
            )
        if cut := cut_tool_calls(_printed(model, found), messages):
            raise InvalidArgumentError(
                f"messages {messages} is refused: the result of the tool call {shorten(cut[0])} is in a later message, and a "
                "model refuses a call without its result; cut before the call or after the result; nothing was written"
            )
        update["messages"] = found[:messages]
    if isinstance(session, Conversation):
        return deepcopy(replace(session, **update))
    forked: SessionT = model.model_copy(update=update, deep=True)
    forget(forked)
    return forked


def _printed(model: Any, messages: list[Any]) -> list[Any]:
    """The messages as JSON values."""
    if isinstance(model, Conversation):
        return messages
    printed: list[Any] = json.loads(model.model_dump_json(include={"messages"}, by_alias=False))["messages"]
    return printed
