"""A chat store for LlamaIndex in a bucket or folder.

Usage::

    from llama_index.core.memory import ChatMemoryBuffer
    from sessionbucket.integrations.llama_index import BucketChatStore

    store = BucketChatStore("s3://my-bucket/agents")
    memory = ChatMemoryBuffer.from_defaults(chat_store=store, chat_store_key="user-7")
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import ChatMessage
from llama_index.core.storage.chat_store import BaseChatStore

from sessionbucket import (
    UNSEEN,
    AppendLog,
    InvalidArgumentError,
    LogDraft,
    LogHead,
    SessionCorruptedError,
    encode_segment,
    open_documents,
)

if TYPE_CHECKING:
    from sessionbucket import DocumentStore, SessionStore

_FOLDER = "llama-index"
_REMEMBERED = 256


class BucketChatStore(BaseChatStore):
    """Keeps the messages of each key in one append log under ``llama-index/``.

    ``add_message`` sends one PUT, and before it one GET if this object has not used the key lately. ``get_messages`` sends one GET, and
    for a long history one GET for each segment, all at once. The async methods are those of ``BaseChatStore``: they run these in
    threads.

    Several workers may use one key: each change is one conditional write, so no message is lost or doubled, also when a response is
    lost. Every method may raise ``SessionBucketError``, for instance ``StoreUnavailableError``.
    """

    _documents: DocumentStore = PrivateAttr()
    _log: AppendLog = PrivateAttr()
    _heads: dict[str, LogHead | None] = PrivateAttr(default_factory=dict)

    def __init__(self, url_or_store: str | os.PathLike[str] | SessionStore[Any]) -> None:
        """``url_or_store`` is that of ``open_store``, or an open store. Raises ``InvalidArgumentError`` for a bad URL."""
        super().__init__()
        if isinstance(url_or_store, (str, os.PathLike)):
            self._documents = open_documents(url_or_store, _FOLDER, integration=True)
        else:
            self._documents = url_or_store.documents(_FOLDER, integration=True)
        self._log = AppendLog(self._documents)

    @classmethod
    def class_name(cls) -> str:
        return "BucketChatStore"

    def set_messages(self, key: str, messages: list[ChatMessage]) -> None:
        """Replace all messages of the key, in one write."""
        entries = _encoded(messages)

        def replace(draft: LogDraft) -> None:
            draft.entries[:] = entries
            draft.metadata["key"] = key

        self._edit(key, replace, last=None)

    def get_messages(self, key: str) -> list[ChatMessage]:
        found = self._log.read(encode_segment(key))
        self._remember(key, found.head if found else None)
        return self._decoded(key, found.entries) if found else []

    def add_message(self, key: str, message: ChatMessage) -> None:
        head = self._log.append(
            encode_segment(key),
            _encoded([message]),
            fold=lambda metadata, _: {**metadata, "key": key},
            seen=self._heads.pop(key, UNSEEN),
        )
        self._remember(key, head)

    def delete_messages(self, key: str) -> list[ChatMessage] | None:
        """Delete the key, and return its messages, or None when it does not exist. Nothing of them remains in the bucket."""
        found = self._log.read(encode_segment(key))
        if found is None:
            return None
        self._log.delete(encode_segment(key))
        self._heads.pop(key, None)
        return self._decoded(key, found.entries)

    def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Delete one message, and return it, or None when there is none at this position; a negative one counts from the end."""
        deleted: list[Any] = []

        def take(draft: LogDraft) -> None:
            deleted.clear()
            if -len(draft.entries) <= idx < len(draft.entries):
                deleted.append(draft.entries.pop(idx))

        self._edit(key, take, last=None if idx >= 0 else -idx)
        return self._decoded(key, deleted)[0] if deleted else None

    def delete_last_message(self, key: str) -> ChatMessage | None:
        """Delete the last message, and return it, or None when there is none."""
        return self.delete_message(key, -1)

    def get_keys(self) -> list[str]:
        """List all keys. Sends one LIST for each 1,000, and a GET for each key that is longer than an object's key holds."""
        names = [info.name for info in self._log.list()]
        long = [name for name in names if "%~" in name]
        found = dict(zip(long, self._log.read_metadata(long), strict=True))
        keys = {name: (metadata or {}).get("key") for name, metadata in found.items()}
        return [key for name in names if (key := keys[name] if name in keys else unquote(name)) is not None]

    def close(self) -> None:
        """Close all connections. The store may be used again afterwards."""
        self._documents.close()

    def _edit(self, key: str, change: Any, *, last: int | None) -> None:
        head = self._log.edit(encode_segment(key), change, last=last, seen=self._heads.pop(key, UNSEEN))
        self._remember(key, head)

    def _decoded(self, key: str, entries: list[Any]) -> list[ChatMessage]:
        try:
            return [ChatMessage.model_validate(each) for each in entries]
        except ValueError as error:
            full_key = self._documents.full_key(f"{encode_segment(key)}.log")
            raise SessionCorruptedError(full_key, "an entry is no message of LlamaIndex") from error

    def _remember(self, key: str, head: LogHead | None) -> None:
        """Keep the head as a guess for the next write of the key."""
        self._heads[key] = head
        if len(self._heads) > _REMEMBERED:
            self._heads.pop(next(iter(self._heads)), None)


def _encoded(messages: list[ChatMessage]) -> list[Any]:
    try:
        return [json.loads(each.model_dump_json()) for each in messages]
    except ValueError as error:
        raise InvalidArgumentError(f"a message is refused: {error}; nothing was written") from error
