"""A conversation store for pydantic-ai."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
    ConversationStore,
)
from pydantic_ai.run import AgentRunResult
from pydantic_core import PydanticSerializationError

from sessionbucket import (
    UNSEEN,
    AsyncAppendLog,
    InvalidArgumentError,
    LogDraft,
    LogHead,
    SessionCorruptedError,
    Unseen,
    encode_segment,
    open_async_documents,
)

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore

_FOLDER = "pydantic-ai"
_REMEMBERED_HEADS = 64
_CONFIG = ConfigDict(defer_build=True, ser_json_bytes="base64", val_json_bytes="base64")
_RECORDS: TypeAdapter[list[ConversationRecord]] = TypeAdapter(list[ConversationRecord], config=_CONFIG)
_ENTRIES: TypeAdapter[list[ConversationEntry]] = TypeAdapter(list[ConversationEntry], config=_CONFIG)

_seen: ContextVar[LogHead | Unseen | None] = ContextVar("_seen", default=UNSEEN)
"""The remembered log that the running save continues, or None for a new conversation."""

T = TypeVar("T")
Rows = list[dict[str, Any]]


class _EntryId(str):
    """The id of an entry, with the log that it was read from, so that its history needs no second read."""

    __slots__ = ("log",)
    log: LogHead

    def of(self, log: LogHead) -> _EntryId:
        self.log = log
        return self


class BucketConversationStore(ConversationStore):
    """Keeps conversations in a bucket or folder, each in one append log under ``pydantic-ai/``.

    A turn that loads a conversation, runs, and saves the result sends one GET and one PUT. Several workers may save one conversation:
    a save of an outdated copy raises ``ConversationConflict`` and writes nothing, and a lost response is no conflict. A fork copies
    the history that it shares. So ``delete`` erases every message of the conversation, and its forks keep their copies.

    Every method may raise ``SessionBucketError``, for instance ``StoreUnavailableError``, or ``SessionCorruptedError`` for a damaged
    conversation. After an error whose outcome is not ``"unknown"``, nothing was written.
    """

    def __init__(self, url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any]) -> None:
        """``url_or_store`` is that of ``open_async_store``, or an open store. Raises ``InvalidArgumentError`` for a bad URL."""
        if isinstance(url_or_store, (str, os.PathLike)):
            self._documents = open_async_documents(url_or_store, _FOLDER, integration=True)
        else:
            self._documents = url_or_store.documents(_FOLDER, integration=True)
        self._log = AsyncAppendLog(self._documents)
        self._heads: dict[str, LogHead] = {}  # by revision, for the next write on it

    async def save(
        self, conversation: Conversation | AgentRunResult[Any], *, scope: str | None = None
    ) -> list[ConversationEntry]:
        saved = conversation.conversation if isinstance(conversation, AgentRunResult) else conversation
        # The write is conditional on this head, so a save needs no read of the record.
        _seen.set(self._heads.get(saved.revision, UNSEEN) if saved.revision else None)
        try:
            return await super().save(conversation, scope=scope)
        finally:
            _seen.set(UNSEEN)

    async def read_record(self, conversation_id: str) -> ConversationRecord | None:
        name = encode_segment(conversation_id)
        head = _seen.get()
        _seen.set(UNSEEN)  # a second read of a save is a real one
        if isinstance(head, Unseen):
            found = await self._log.read(name, last=0)
            head = found.head if found else None
        if head is None or not head.metadata:
            return None
        record = self._decode(_RECORDS, [head.metadata.get("record")], name)[0]
        self._remember(record.revision, head)
        record.head_id = None if record.head_id is None else _EntryId(record.head_id).of(head)
        record.branches = [_EntryId(tip).of(head) for tip in record.branches]
        return record

    async def read_records(
        self, *, scope: str | None = None, limit: int | None = None
    ) -> Sequence[ConversationRecord]:
        names = [info.name async for info in self._log.list()]
        found = zip(names, await self._log.read_metadata(names), strict=True)
        records = [self._decode(_RECORDS, [each.get("record")], name)[0] for name, each in found if each]
        records = [record for record in records if scope in (None, record.scope)]
        return sorted(records, key=lambda record: record.updated_at, reverse=True)[:limit]

    async def write_record(
        self,
        record: ConversationRecord,
        *,
        new_entries: Sequence[ConversationEntry] = (),
        expected_revision: str | None,
    ) -> None:
        name = encode_segment(record.conversation_id)
        row = _encode(_RECORDS, [record])[0]
        rows = _encode(_ENTRIES, new_entries)
        base = new_entries[0].parent_id if new_entries else record.head_id
        if base is not None and not (isinstance(base, _EntryId) and base.log.name == name):
            source = record.conversation_id if expected_revision else record.forked_from
            try:
                _, history = await self._find(str(base), name=encode_segment(source or ""))
            except KeyError:
                raise ConversationConflict(record.conversation_id) from None
            rows = rows if expected_revision else [*history, *rows]

        def replace_record(metadata: dict[str, Any], _: list[Any]) -> dict[str, Any]:
            _check_revision(metadata, record.conversation_id, expected_revision)
            return {"record": row}

        seen = self._heads.get(expected_revision, UNSEEN) if expected_revision else None
        head = await self._log.append(name, rows, fold=replace_record, seen=seen)
        self._remember(record.revision, head)

    async def delete_record(self, conversation_id: str, *, expected_revision: str) -> None:
        def erase(draft: LogDraft) -> None:
            _check_revision(draft.metadata, conversation_id, expected_revision)
            draft.metadata.clear()
            draft.entries.clear()

        # This write is conditional, so it decides between the delete and a save of another worker.
        name = encode_segment(conversation_id)
        await self._log.edit(name, erase, last=None, seen=self._heads.get(expected_revision, UNSEEN))
        await self._log.delete(name)

    async def read_entry(self, entry_id: str) -> ConversationEntry:
        # An id alone does not name its conversation, so this may read every one.
        return (await self.read_history(entry_id, limit=1))[0]

    async def read_history(self, head_id: str | None, *, limit: int | None = None) -> list[ConversationEntry]:
        if head_id is None or limit == 0:
            return []
        name, rows = await self._find(head_id, limit)
        return self._decode(_ENTRIES, rows, name)

    async def _find(self, entry_id: str, limit: int | None = None, name: str = "") -> tuple[str, Rows]:
        """The log that has an entry, and the history up to it. Without a name, one log after another is read."""
        if isinstance(entry_id, _EntryId):
            name = entry_id.log.name
            recent = [json.loads(line) for line in entry_id.log.document.body.splitlines()[1:]]
            if history := _history(recent, entry_id, limit):
                return name, history
        for each in [name] if name else [info.name async for info in self._log.list()]:
            found = await self._log.read(each)
            if found and (history := _history(found.entries, entry_id, limit)):
                return each, history
        raise KeyError(entry_id)

    async def close(self) -> None:
        """Close all connections. The store may be used again afterwards."""
        await self._documents.close()

    def _remember(self, revision: str, head: LogHead) -> None:
        self._heads[revision] = head
        if len(self._heads) > _REMEMBERED_HEADS:
            self._heads.pop(next(iter(self._heads)), None)

    def _decode(self, adapter: TypeAdapter[list[T]], rows: list[Any], name: str) -> list[T]:
        try:
            return adapter.validate_json(json.dumps(rows))
        except ValidationError as error:
            key = self._documents.full_key(f"{name}.log")
            raise SessionCorruptedError(key, f"it is no conversation: {error.errors()[0]['msg']}") from error


def _encode(adapter: TypeAdapter[list[T]], values: Sequence[T]) -> Rows:
    try:
        rows: Rows = json.loads(adapter.dump_json([*values]))
    except PydanticSerializationError as error:
        raise InvalidArgumentError(
            f"the conversation cannot be JSON: {error}; nothing was written"
        ) from error
    return rows


def _history(rows: Rows, head_id: str, limit: int | None) -> Rows | None:
    """The last ``limit`` entries up to ``head_id``, oldest first, or None when these rows lack one of them."""
    by_id = {row["id"]: row for row in rows}
    history: Rows = []
    at: str | None = head_id
    while at is not None and len(history) != limit:
        if at not in by_id:
            return None
        history.append(by_id[at])
        at = by_id[at]["parent_id"]
    return history[::-1]


def _check_revision(metadata: dict[str, Any], conversation_id: str, expected: str | None) -> None:
    if metadata.get("record", {}).get("revision") != expected:
        raise ConversationConflict(conversation_id)
