"""Transcripts of the Claude Agent SDK in a bucket or folder.

Usage::

    from claude_agent_sdk import ClaudeAgentOptions, query
    from sessionbucket.integrations.claude_agent_sdk import BucketSessionStore

    store = BucketSessionStore("s3://my-bucket/agents/prod")
    async for message in query(prompt="Hello", options=ClaudeAgentOptions(session_store=store)):
        print(message)
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from claude_agent_sdk import (
    SessionKey,
    SessionListSubkeysKey,
    SessionStore,
    SessionStoreEntry,
    SessionStoreListEntry,
    SessionSummaryEntry,
    fold_session_summary,
)

from sessionbucket import UNSEEN, AsyncAppendLog, encode_segment, open_async_documents
from sessionbucket.errors import InvalidArgumentError

if TYPE_CHECKING:
    from sessionbucket import AsyncDocumentStore, AsyncSessionStore, LogHead, LogInfo

FOLDER = "claude"
_REMEMBERED = 256
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class BucketSessionStore(SessionStore):
    """Keeps each transcript as one append log in the folder ``claude`` of a store.

    ``append`` sends one PUT, which also stores the summary of the session, and before it one GET if this object has not used the
    transcript lately. ``load`` sends one GET, and for a long transcript one GET for each segment, all at once.

    Any number of stores, tasks, event loops, threads, processes and hosts may use one transcript at a time: each append is one conditional
    write, so no entry is lost or doubled, and the order of entries is the order of commits. An entry whose ``uuid`` is already in
    the document or the newest segment is dropped, so an append may be repeated.

    Every method may raise the errors of ``sessionbucket.errors``: ``StoreUnavailableError``, ``AccessDeniedError``, ``BucketNotFoundError``
    and ``ConditionalWritesUnsupportedError`` of the server, ``ConflictError`` after ten conflicts in a row, and ``SessionCorruptedError`` for
    damaged data, which stays as it is. After an error without the outcome ``"unknown"``, the transcript is unchanged.
    """

    def __init__(self, url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any]) -> None:
        """``url_or_store`` is a URL as ``open_async_store`` takes it, the path of a folder, or an open store. Sends no request.

        Raises ``InvalidArgumentError`` for another type, a bad URL, and a bad option in it.
        """
        self._documents = _open(url_or_store)
        self._owns_documents = isinstance(url_or_store, (str, os.PathLike))
        self._log = AsyncAppendLog(self._documents, unique="uuid")
        # The heads after the last appends, each a guess for the next one: two threads may replace it in any order.
        self._heads: dict[str, LogHead] = {}

    async def append(self, key: SessionKey, entries: list[SessionStoreEntry]) -> None:
        """Append the entries at the end, all of them in one write, and update the summary of the session in the same write."""
        if not entries:
            return
        is_main = not key.get("subpath")

        def fold(metadata: dict[str, Any], new: list[Any]) -> dict[str, Any]:
            if not is_main:
                return {"key": key}
            return {"key": key, "summary": fold_session_summary(metadata.get("summary"), key, new)}

        name = _name(key)
        seen = self._heads.pop(name, UNSEEN)
        self._heads[name] = await self._log.append(name, entries, fold=fold, seen=seen)
        if len(self._heads) > _REMEMBERED:
            self._heads.pop([*self._heads][0], None)  # noqa: RUF015 (other threads may change it meanwhile)

    async def load(self, key: SessionKey) -> list[SessionStoreEntry] | None:
        """Return all entries of a transcript, or None when it does not exist."""
        found = await self._log.read(_name(key))
        return found.entries if found else None

    async def list_sessions(self, project_key: str) -> list[SessionStoreListEntry]:
        """List the sessions of a project. Sends one LIST for each 1,000, and a GET for each id that is longer than a key holds."""
        found = await self._list(_sessions(project_key))
        ids = await self._true_keys(found, "session_id")
        return [{"session_id": id, "mtime": _milliseconds(info)} for info, id in ids]

    async def list_session_summaries(self, project_key: str) -> list[SessionSummaryEntry]:
        """Return the summaries of a project's sessions. Sends one LIST for each 1,000, and a GET of 16 KiB for each session."""
        found = await self._list(_sessions(project_key))
        metadata = await self._log.read_metadata(info.name for info in found)
        return [
            {
                "session_id": each["summary"]["session_id"],
                "mtime": _milliseconds(info),
                "data": each["summary"]["data"],
            }
            for info, each in zip(found, metadata, strict=True)
            if each is not None
        ]

    async def list_subkeys(self, key: SessionListSubkeysKey) -> list[str]:
        """List the subpaths of a session. Sends one LIST for each 1,000, and a GET for each subpath that is longer than a key holds."""
        found = await self._list(_subpaths(key))
        return [subpath for _, subpath in await self._true_keys(found, "subpath")]

    async def delete(self, key: SessionKey) -> None:
        """Delete a transcript; that of a session with those of all its subpaths. A missing one counts as deleted.

        Sends two LISTs and two DELETEs for a session, and one of each for a subpath. An append at the same time may create the
        transcript again, with its own entries only.
        """
        if not key.get("subpath"):
            await self._documents.delete_prefix(_subpaths(key))
        await self._log.delete(_name(key))
        self._heads.pop(_name(key), None)

    async def close(self) -> None:
        """Close the connections of a store that was opened by a URL; those of a given store stay open."""
        if self._owns_documents:
            await self._documents.close()

    async def _list(self, folder: str) -> list[LogInfo]:
        return [info async for info in self._log.list(folder)]

    async def _true_keys(self, found: list[LogInfo], member: str) -> list[tuple[LogInfo, str]]:
        """The listed logs with their session ids or subpaths: as the names encode them, or as the metadata have them."""
        decoded = [_decode(info.name.rpartition("/")[2]) for info in found]
        cut = [number for number, text in enumerate(decoded) if text is None]
        metadata = await self._log.read_metadata(found[number].name for number in cut)
        for number, each in zip(cut, metadata, strict=True):
            decoded[number] = each["key"][member] if each else None
        return [(info, text) for info, text in zip(found, decoded, strict=True) if text is not None]


def _sessions(project_key: str) -> str:
    return f"{encode_segment(project_key)}/s/"


def _subpaths(key: SessionKey | SessionListSubkeysKey) -> str:
    return f"{encode_segment(key['project_key'])}/a/{encode_segment(key['session_id'])}/"


def _name(key: SessionKey) -> str:
    """The name of a transcript: those of sessions and of subpaths are in different folders, so no listing mixes them."""
    subpath = key.get("subpath")
    if subpath:
        return _subpaths(key) + encode_segment(subpath)
    return _sessions(key["project_key"]) + encode_segment(key["session_id"])


def _decode(segment: str) -> str | None:
    """The text of a segment, or None when the segment has only its hash."""
    if segment == encode_segment(""):
        return ""
    return None if "%~" in segment else unquote_to_bytes(segment).decode("utf-8", "surrogatepass")


def _milliseconds(info: LogInfo) -> int:
    return (info.updated_at - _EPOCH) // timedelta(milliseconds=1)


def _open(url_or_store: Any) -> AsyncDocumentStore:
    if isinstance(url_or_store, (str, os.PathLike)):
        return open_async_documents(url_or_store, FOLDER, integration=True)
    from sessionbucket import AsyncSessionStore  # noqa: PLC0415 (it loads the models)

    if not isinstance(url_or_store, AsyncSessionStore):
        raise InvalidArgumentError(
            f"url_or_store is {type(url_or_store).__name__} and must be a URL, a path or an AsyncSessionStore"
        )
    return url_or_store.documents(FOLDER, integration=True)
