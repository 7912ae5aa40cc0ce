"""A session service of ADK."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from google.adk.errors import StaleSessionError
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events.event import Event
from google.adk.platform import time as platform_time
from google.adk.sessions import _session_util
from google.adk.sessions.base_session_service import (
    BaseSessionService,
    GetSessionConfig,
    ListSessionsResponse,
)
from google.adk.sessions.session import Session

from sessionbucket import UNSEEN, AsyncAppendLog, LogDraft, LogHead, encode_segment, open_async_documents
from sessionbucket.integrations.google_adk.shared_state import (
    Data,
    SharedState,
    keys_of,
    merged_state,
    owed_changes,
)

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore

_FOLDER = "adk"
_REMEMBERED_HEADS = 64


class BucketSessionService(BaseSessionService):
    """Keeps sessions in a bucket or folder under ``adk/``, each in one append log; app and user state in one document each.

    An event is one PUT, and three to four more requests for each of app and user state that it changes. A session is read in one round
    trip. An append to a session that another worker changed raises ``StaleSessionError`` and writes nothing. The session is written first,
    with the changes that it owes to app and user state. So a crash between the writes loses nothing: readers apply these changes,
    and the next append stores them.

    Every method may raise ``SessionBucketError``, for instance ``StoreUnavailableError``.
    """

    def __init__(self, url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any]) -> None:
        """``url_or_store`` is that of ``open_async_store``, or an open store. Raises ``InvalidArgumentError`` for a bad URL."""
        if isinstance(url_or_store, (str, os.PathLike)):
            self._documents = open_async_documents(url_or_store, _FOLDER, integration=True)
        else:
            self._documents = url_or_store.documents(_FOLDER, integration=True)
        self._log = AsyncAppendLog(self._documents)
        self._shared = SharedState(self._documents)
        self._heads: dict[str, LogHead] = {}  # by marker, for the next write on it

    async def create_session(
        self, *, app_name: str, user_id: str, state: Data | None = None, session_id: str | None = None
    ) -> Session:
        id = (session_id or "").strip() or str(uuid4())
        now, marker = platform_time.get_time(), uuid4().hex
        deltas = _session_util.extract_json_safe_state_delta(state or {})

        def create(metadata: Data, _: list[Any]) -> Data:
            if metadata:
                raise AlreadyExistsError(f"Session with id {id} already exists.")
            return {
                "app_name": app_name,
                "user_id": user_id,
                "id": id,
                "state": deltas["session"],
                "create_time": now,
                "update_time": now,
                "marker": marker,
                "owed": owed_changes(deltas),
            }

        head = await self._log.append(_name(app_name, user_id, id), [], fold=create, seen=None)
        self._remember(await self._pay(head))
        return _session(head.metadata, [], await self._shared.get(keys_of(app_name, user_id).values()))

    async def get_session(
        self, *, app_name: str, user_id: str, session_id: str, config: GetSessionConfig | None = None
    ) -> Session | None:
        chosen = config or GetSessionConfig()
        last = chosen.num_recent_events if chosen.after_timestamp is None else None
        found, shared = await asyncio.gather(
            self._log.read(_name(app_name, user_id, session_id.strip()), last=last),
            self._shared.get(keys_of(app_name, user_id).values()),
        )
        if found is None:
            return None
        events = [Event.model_validate_json(json.dumps(entry)) for entry in found.entries]
        if chosen.after_timestamp is not None:
            events = [event for event in events if event.timestamp >= chosen.after_timestamp]
            if chosen.num_recent_events is not None:
                events = events[max(0, len(events) - chosen.num_recent_events) :]
        self._remember(found.head)
        return _session(found.metadata, events, shared)

    async def list_sessions(self, *, app_name: str, user_id: str | None = None) -> ListSessionsResponse:
        users = f"{encode_segment(app_name)}/u/"
        if user_id is None:
            folders = [f"{users}{name}/s/" async for name in self._documents.list_folders(users)]
        else:
            folders = [f"{users}{encode_segment(user_id)}/s/"]
        names = [info.name for folder in folders async for info in self._log.list(folder)]
        found = [metadata for metadata in await self._log.read_metadata(names) if metadata]
        found.sort(key=lambda each: (each["update_time"], each["user_id"], each["id"]))
        keys = {key for each in found for key in keys_of(app_name, each["user_id"]).values()}
        shared = await self._shared.get(keys)
        return ListSessionsResponse(sessions=[_session(each, [], shared) for each in found])

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        """Delete the session with all its events. App and user state stay."""
        await self._log.delete(_name(app_name, user_id, session_id.strip()))

    async def get_user_state(self, *, app_name: str, user_id: str) -> Data:
        key = keys_of(app_name, user_id)["user"]
        return dict((await self._shared.get([key]))[key]["state"])

    async def append_event(self, session: Session, event: Event) -> Event:
        """Append the event. Raises ``StaleSessionError`` when the stored session is not the version of ``session``."""
        if event.partial or any(each == event for each in session.events if each.id == event.id):
            return event
        self._apply_temp_state(session, event)
        event = self._trim_temp_delta_state(event)
        marker = uuid4().hex
        deltas = _session_util.extract_json_safe_state_delta(event.actions.state_delta)
        entry = json.loads(event.model_dump_json(exclude_none=True))

        def commit(metadata: Data, _: list[Any]) -> Data:
            if not metadata:
                raise SessionNotFoundError(f"Session {session.id} not found.")
            _check_fresh(session, metadata)
            return {
                **metadata,
                "state": metadata["state"] | deltas["session"],
                "update_time": event.timestamp,
                "marker": marker,
                "owed": metadata["owed"] + owed_changes(deltas),
            }

        name = _name(session.app_name, session.user_id, session.id)
        seen = self._heads.get(session._storage_update_marker or "", UNSEEN)  # noqa: SLF001
        head = await self._log.append(name, [entry], fold=commit, seen=seen)
        self._commit_event_to_session(session, event)
        session.last_update_time = event.timestamp
        session._storage_update_marker = marker  # noqa: SLF001
        self._remember(await self._pay(head))
        return event

    async def close(self) -> None:
        """Close all connections. The service may be used again afterwards."""
        await self._documents.close()

    async def _pay(self, head: LogHead) -> LogHead:
        """Store what a session owes to app and user state."""
        owed = head.metadata["owed"]
        if not owed:
            return head
        await self._shared.apply(head.metadata["app_name"], head.metadata["user_id"], owed)
        ids = {each["id"] for each in owed}

        def clear(draft: LogDraft) -> None:
            rest = [each for each in draft.metadata.get("owed", []) if each["id"] not in ids]
            draft.metadata.update({"owed": rest} if draft.exists else {})

        return await self._log.edit(head.name, clear, seen=head) or head

    def _remember(self, head: LogHead) -> None:
        self._heads[head.metadata["marker"]] = head
        if len(self._heads) > _REMEMBERED_HEADS:
            self._heads.pop(next(iter(self._heads)), None)


def _name(app_name: str, user_id: str, session_id: str) -> str:
    return f"{encode_segment(app_name)}/u/{encode_segment(user_id)}/s/{encode_segment(session_id)}"


def _session(metadata: Data, events: list[Event], shared: dict[str, Data]) -> Session:
    session = Session(
        id=metadata["id"],
        app_name=metadata["app_name"],
        user_id=metadata["user_id"],
        state=merged_state(metadata, shared),
        events=events,
        last_update_time=metadata["update_time"],
    )
    session._storage_update_marker = metadata["marker"]  # noqa: SLF001
    return session


def _check_fresh(session: Session, metadata: Data) -> None:
    marker = session._storage_update_marker  # noqa: SLF001
    if marker != metadata["marker"] if marker else metadata["update_time"] > session.last_update_time:
        raise StaleSessionError(
            f"Session {session.id} was changed since it was read. Get it again before the next append."
        )
