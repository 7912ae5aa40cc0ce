"""Sessions of the OpenAI Agents SDK in a bucket or folder.

Usage::

    from sessionbucket.integrations.openai_agents import BucketSession

    session = BucketSession("user-123", "s3://my-bucket/agents/prod")
    await Runner.run(agent, "Hello", session=session)
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agents.items import TResponseInputItem
from agents.memory import SessionSettings
from agents.memory.session import SessionABC, _await_mutation, _CompactionSnapshot
from agents.memory.session_settings import coerce_session_settings, resolve_session_limit

from sessionbucket import UNSEEN, AsyncAppendLog, encode_segment, open_async_documents
from sessionbucket.errors import InvalidArgumentError, SessionBucketError

if TYPE_CHECKING:
    from sessionbucket import AsyncDocumentStore, AsyncSessionStore, LogDraft, LogHead

FOLDER = "openai-agents"
_ADDITIONS = 16


class BucketSession(SessionABC):
    """A session whose items are one append log in the folder ``openai-agents`` of a store.

    ``add_items`` and ``pop_item`` send one PUT, and before it one GET if this object has not used the session yet. ``get_items`` sends one
    GET, and for a long history one GET for each needed segment, all at once.

    Any number of sessions, tasks, event loops, threads, processes and hosts may use one session id at a time: each change is one conditional
    write, so no item is lost or doubled, and the order of items is the order of commits. When the response to a write is lost, the
    write is resolved before the method returns. A cancelled change raises ``CancelledError`` after its outcome is known.

    Every method may raise the errors of ``sessionbucket.errors``: ``StoreUnavailableError``, ``AccessDeniedError``, ``BucketNotFoundError``
    and ``ConditionalWritesUnsupportedError`` of the server, ``ConflictError`` after ten conflicts in a row, and ``SessionCorruptedError`` for
    damaged data, which stays as it is. After an error without the outcome ``"unknown"``, the session is unchanged.
    """

    session_settings: SessionSettings | None = None

    def __init__(
        self,
        session_id: str,
        url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any],
        *,
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        """``session_id`` is any text.

        ``url_or_store`` is a URL as ``open_async_store`` takes it, the path of a folder, or an open store. Sessions with one store
        use its connections together. Sends no request. ``session_settings`` has the default limit of ``get_items``.

        Raises ``InvalidArgumentError`` for another type, a bad URL, and a bad option in it.
        """
        self.session_id = session_id
        self.session_settings = (
            SessionSettings() if session_settings is None else coerce_session_settings(session_settings)
        )
        if not isinstance(session_id, str):
            raise InvalidArgumentError(f"session_id is {type(session_id).__name__} and must be a string")
        self._documents = _open(url_or_store)
        self._owns_documents = isinstance(url_or_store, (str, os.PathLike))
        self._log = AsyncAppendLog(self._documents)
        self._name = encode_segment(session_id)
        # The head after the last call, a guess for the next write: two threads may replace it in any order.
        self._head: LogHead | Any = UNSEEN
        self._unfinished: tuple[str, list[TResponseInputItem]] | None = None

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest ``limit`` items, oldest first; without one, as many as ``session_settings`` allow.

        A negative limit, or none at all, means all items.
        """
        last = resolve_session_limit(limit, self.session_settings)
        found = await self._log.read(self._name, last=None if last is None or last < 0 else last)
        self._head = found.head if found else None
        return found.entries if found else []

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Add the items at the end, all of them in one write.

        After an error with the outcome ``"unknown"``, a repeated call of this object with the same items adds them once.
        """
        if items:
            await _await_mutation(self._add(items))

    async def _add(self, items: list[TResponseInputItem]) -> None:
        unfinished = self._unfinished
        is_repeated = unfinished is not None and unfinished[1] == items
        addition = unfinished[0] if unfinished and is_repeated else uuid4().hex

        def note(metadata: dict[str, Any], _: list[Any]) -> dict[str, Any]:
            additions = metadata.get("additions", [])
            if is_repeated and addition in additions:
                raise _AlreadyAddedError
            return {"session_id": self.session_id, "additions": [*additions, addition][-_ADDITIONS:]}

        try:
            self._head = await self._log.append(self._name, items, fold=note, seen=self._head)
        except _AlreadyAddedError:
            self._head = UNSEEN
        except SessionBucketError as error:
            if getattr(error, "outcome", "") == "unknown":
                self._unfinished = addition, copy.deepcopy(items)
            raise
        self._unfinished = None

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove the latest item and return it, or None when the session has none."""
        popped: list[TResponseInputItem] = []

        def take(draft: LogDraft) -> None:
            popped[:] = draft.entries[-1:]
            del draft.entries[-1:]

        await _await_mutation(self._edit(take, last=1))
        return popped[0] if popped else None

    async def clear_session(self) -> None:
        """Delete the session. An addition at the same time may create it again, with its own items only."""
        await _await_mutation(self._clear())

    async def _clear(self) -> None:
        await self._log.delete(self._name)
        self._head = self._unfinished = None

    async def _edit(self, change: Callable[[LogDraft], None], *, last: int | None) -> None:
        """Change items. An addition whose items may be removed again is then not found by its id, so it can be repeated."""

        def apply(draft: LogDraft) -> None:
            before = [*draft.entries]
            change(draft)
            if draft.entries != before:
                draft.metadata.pop("additions", None)

        self._head = await self._log.edit(self._name, apply, last=last, seen=self._head)

    async def _get_compaction_snapshot(
        self, limit: int, *, prune_prefix: Callable[[TResponseInputItem], bool] | None = None
    ) -> _CompactionSnapshot | None:
        """The latest items, and the function that replaces a suffix of them if no other writer has changed the session since."""
        if type(self) is not BucketSession:  # a subclass may transform items
            return None
        found = await self._log.read(self._name, last=limit)
        self._head = found.head if found else None
        items, length = (found.entries, found.head.length) if found else ([], 0)

        async def replace_suffix(start: int, output: list[TResponseInputItem]) -> bool:
            expected = items[start:]
            is_unchanged = False

            def swap(draft: LogDraft) -> None:
                nonlocal is_unchanged
                kept = len(draft.entries) - len(expected)
                is_unchanged = draft.start + len(draft.entries) == length and draft.entries[kept:] == expected
                if is_unchanged:
                    first = 0
                    while prune_prefix and first < kept and prune_prefix(draft.entries[first]):
                        first += 1
                    draft.entries = [*draft.entries[first:kept], *output]

            if expected:
                await _await_mutation(self._edit(swap, last=None if prune_prefix else len(expected)))
            return is_unchanged

        return _CompactionSnapshot(items, length == len(items), replace_suffix)

    async def close(self) -> None:
        """Close the connections of a session that was opened by a URL; those of a given store stay open."""
        if self._owns_documents:
            await self._documents.close()


class _AlreadyAddedError(Exception):
    """An addition whose outcome was unknown has been done."""


def _open(url_or_store: Any) -> AsyncDocumentStore:
    if isinstance(url_or_store, (str, os.PathLike)):
        return open_async_documents(url_or_store, FOLDER, integration=True)
    from sessionbucket import AsyncSessionStore  # noqa: PLC0415 (it loads the models)

    if not isinstance(url_or_store, AsyncSessionStore):
        raise InvalidArgumentError(
            f"url_or_store is {type(url_or_store).__name__} and must be a URL, a path or an AsyncSessionStore"
        )
    return url_or_store.documents(FOLDER, integration=True)
