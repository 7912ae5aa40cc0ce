"""A session service and an artifact service for Google's Agent Development Kit (ADK)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote
from uuid import uuid4

from google.adk.artifacts import artifact_util
from google.adk.artifacts.base_artifact_service import ArtifactVersion, BaseArtifactService, ensure_part
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.input_validation_error import InputValidationError
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
from google.adk.sessions.state import State
from google.genai import types

from sessionbucket import (
    UNSEEN,
    AsyncAppendLog,
    AsyncDocumentStore,
    ConflictError,
    Document,
    LogDraft,
    LogHead,
    SessionCorruptedError,
    decode_frame,
    decode_frame_header,
    encode_frame,
    encode_segment,
    newest_first,
    open_async_documents,
)

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore

_FORMAT = 1
_REMEMBERED_HEADS = 64
_APPLIED = 64
_HEADER_BYTES = 16 * 1024

Data = dict[str, Any]


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
        self._documents = _open(url_or_store, "adk")
        self._log = AsyncAppendLog(self._documents)
        self._heads: dict[str, LogHead] = {}  # by marker, for the next write on it

    async def create_session(
        self, *, app_name: str, user_id: str, state: Data | None = None, session_id: str | None = None
    ) -> Session:
        id = (session_id or "").strip() or str(uuid4())
        now, marker, deltas = platform_time.get_time(), uuid4().hex, _deltas(state)

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
                "owed": _owed(deltas),
            }

        head = await self._log.append(_name(app_name, user_id, id), [], fold=create, seen=None)
        head = await self._pay(head)
        scopes = await asyncio.gather(*map(self._documents.get, _scope_keys(app_name, user_id).values()))
        return self._session(head.metadata, [], self._states(scopes), head)

    async def get_session(
        self, *, app_name: str, user_id: str, session_id: str, config: GetSessionConfig | None = None
    ) -> Session | None:
        chosen = config or GetSessionConfig()
        last = chosen.num_recent_events if chosen.after_timestamp is None else None
        found, *scopes = await asyncio.gather(
            self._log.read(_name(app_name, user_id, session_id.strip()), last=last),
            *map(self._documents.get, _scope_keys(app_name, user_id).values()),
        )
        if found is None:
            return None
        events = [Event.model_validate_json(json.dumps(entry)) for entry in found.entries]
        if chosen.after_timestamp is not None:
            events = [event for event in events if event.timestamp >= chosen.after_timestamp]
            if chosen.num_recent_events is not None:
                events = events[max(0, len(events) - chosen.num_recent_events) :]
        return self._session(found.metadata, events, self._states(scopes), found.head)

    async def list_sessions(self, *, app_name: str, user_id: str | None = None) -> ListSessionsResponse:
        users = f"{encode_segment(app_name)}/u/"
        if user_id is None:
            folders = [f"{users}{name}/s/" async for name in self._documents.list_folders(users)]
        else:
            folders = [f"{users}{encode_segment(user_id)}/s/"]
        names = [info.name for folder in folders async for info in self._log.list(folder)]
        found = [metadata for metadata in await self._log.read_metadata(names) if metadata]
        keys = {key for each in found for key in _scope_keys(app_name, each["user_id"]).values()}
        scopes = dict(zip(keys, await self._documents.get_many(keys), strict=True))
        sessions = []
        for metadata in sorted(found, key=lambda each: (each["update_time"], each["user_id"], each["id"])):
            own = [scopes[key] for key in _scope_keys(app_name, metadata["user_id"]).values()]
            sessions.append(self._session(metadata, [], self._states(own)))
        return ListSessionsResponse(sessions=sessions)

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        """Delete the session with all its events. App and user state stay."""
        await self._log.delete(_name(app_name, user_id, session_id.strip()))

    async def get_user_state(self, *, app_name: str, user_id: str) -> Data:
        found = await self._documents.get(_scope_keys(app_name, user_id)["user"])
        return self._states([None, found])[1]["state"]

    async def append_event(self, session: Session, event: Event) -> Event:
        """Append the event. Raises ``StaleSessionError`` when the stored session is not the version of ``session``."""
        if event.partial or any(each == event for each in session.events if each.id == event.id):
            return event
        self._apply_temp_state(session, event)
        event = self._trim_temp_delta_state(event)
        marker, deltas = uuid4().hex, _deltas(event.actions.state_delta)
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
                "owed": metadata["owed"] + _owed(deltas),
            }

        name = _name(session.app_name, session.user_id, session.id)
        seen = self._heads.pop(session._storage_update_marker or "", UNSEEN)
        head = await self._log.append(name, [entry], fold=commit, seen=seen)
        self._commit_event_to_session(session, event)
        session.last_update_time, session._storage_update_marker = event.timestamp, marker
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
        keys = _scope_keys(head.metadata["app_name"], head.metadata["user_id"])
        await asyncio.gather(*(self._apply(key, scope, owed) for scope, key in keys.items()))
        ids = {each["id"] for each in owed}

        def clear(draft: LogDraft) -> None:
            rest = [each for each in draft.metadata.get("owed", []) if each["id"] not in ids]
            draft.metadata.update({"owed": rest} if draft.exists else {})

        return await self._log.edit(head.name, clear, seen=head) or head

    async def _apply(self, key: str, scope: str, owed: list[Data]) -> None:
        def change(document: Document | None) -> bytes | None:
            stored = self._states([document])[0]
            new = [each for each in owed if each[scope] and each["id"] not in stored["applied"]]
            for each in new:
                stored["state"] |= each[scope]
                stored["applied"] = [each["id"], *stored["applied"]][:_APPLIED]
            return json.dumps({"format": _FORMAT, **stored}).encode() if new else None

        if any(each[scope] for each in owed):
            await self._documents.update(key, change)

    def _states(self, documents: list[Document | None]) -> list[Data]:
        """The decoded documents of scopes; each has its state, and the ids of the newest changes in it."""
        states = []
        for document in documents:
            try:
                data = (
                    json.loads(document.body) if document else {"format": _FORMAT, "state": {}, "applied": []}
                )
                if data.pop("format") != _FORMAT:
                    raise ValueError
            except (ValueError, KeyError, AttributeError) as error:
                key = self._documents.full_key(document.key if document else "")
                raise SessionCorruptedError(key, f"it is no document of format {_FORMAT}") from error
            states.append(data)
        return states

    def _session(
        self, metadata: Data, events: list[Event], states: list[Data], head: LogHead | None = None
    ) -> Session:
        state = {**metadata["state"]}
        for stored, scope, prefix in zip(
            states, ("app", "user"), (State.APP_PREFIX, State.USER_PREFIX), strict=True
        ):
            owed = [each[scope] for each in metadata["owed"] if each["id"] not in stored["applied"]]
            for values in (stored["state"], *owed):
                state.update({prefix + key: value for key, value in values.items()})
        session = Session(
            id=metadata["id"],
            app_name=metadata["app_name"],
            user_id=metadata["user_id"],
            state=state,
            events=events,
            last_update_time=metadata["update_time"],
        )
        session._storage_update_marker = metadata["marker"]
        if head is not None:
            self._remember(head)
        return session

    def _remember(self, head: LogHead) -> None:
        self._heads[head.metadata["marker"]] = head
        if len(self._heads) > _REMEMBERED_HEADS:
            self._heads.pop(next(iter(self._heads)), None)


class BucketArtifactService(BaseArtifactService):
    """Keeps artifacts in a bucket or folder under ``adk-artifacts/``, each version in one immutable document.

    A save is one LIST and one PUT, and exactly one version also when a response is lost or several workers save at once. A load is one LIST and
    one GET, or one GET for a known version. Every method may raise ``SessionBucketError``.
    """

    def __init__(self, url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any]) -> None:
        """``url_or_store`` is that of ``open_async_store``, or an open store. Raises ``InvalidArgumentError`` for a bad URL."""
        self._documents = _open(url_or_store, "adk-artifacts")

    async def save_artifact(
        self,
        *,
        app_name: str,
        user_id: str,
        filename: str,
        artifact: types.Part | Data,
        session_id: str | None = None,
        custom_metadata: Data | None = None,
    ) -> int:
        folder = _folder(app_name, user_id, filename, session_id)
        part = ensure_part(artifact)
        if artifact_util.is_artifact_ref(part):
            artifact_util.resolve_artifact_reference(
                file_uri=cast("types.FileData", part.file_data).file_uri or "",
                app_name=app_name,
                user_id=user_id,
                session_id=session_id,
                remaining_depth=1,
            )
        elif part.inline_data is None and part.text is None and part.file_data is None:
            raise InputValidationError("Not supported artifact type.")
        data = (part.inline_data and part.inline_data.data) or b""
        version = (await self._versions_of(folder, limit=1) or [-1])[0] + 1
        while True:
            key = f"{folder}{newest_first(f'{version:010}')}"
            described = ArtifactVersion(
                version=version,
                canonical_uri=f"{self._documents.location}/{key}",
                custom_metadata=custom_metadata or {},
                mime_type=_mime_type(part),
            )
            header = {
                "filename": filename,
                "version": described.model_dump(mode="json"),
                "part": part.model_dump(mode="json", exclude_none=True, exclude={"inline_data": {"data"}}),
            }
            try:
                await self._documents.put(key, encode_frame(header, {"data": ("", data)}), if_absent=True)
            except ConflictError as error:
                if error.outcome == "unknown":
                    raise
                version += 1
            else:
                return version

    async def load_artifact(
        self,
        *,
        app_name: str,
        user_id: str,
        filename: str,
        session_id: str | None = None,
        version: int | None = None,
    ) -> types.Part | None:
        for depth in range(artifact_util._MAX_ARTIFACT_REFERENCE_DEPTH, -1, -1):
            folder = _folder(app_name, user_id, filename, session_id)
            found = await self._read(folder, version)
            if found is None:
                return None
            header, blobs = decode_frame(found.body, self._documents.full_key(found.key))
            part = types.Part.model_validate(header["part"])
            if part.inline_data is not None:
                part.inline_data.data = blobs["data"][1]
            if not artifact_util.is_artifact_ref(part):
                break
            app_name, user_id, session_id, filename, version = artifact_util.resolve_artifact_reference(
                file_uri=cast("types.FileData", part.file_data).file_uri or "",
                app_name=app_name,
                user_id=user_id,
                session_id=session_id,
                remaining_depth=depth,
            )
        return None if part == types.Part() or artifact_util._is_rewind_tombstone(part) else part

    async def list_artifact_keys(
        self, *, app_name: str, user_id: str, session_id: str | None = None
    ) -> list[str]:
        folders = [_folder(app_name, user_id, None, None)]
        if session_id is not None:
            folders.append(_folder(app_name, user_id, None, session_id))
        listed = [
            [f"{folder}{name}/" async for name in self._documents.list_folders(folder)] for folder in folders
        ]
        return sorted([await self._filename(each) for each in sum(listed, [])])

    async def delete_artifact(
        self, *, app_name: str, user_id: str, filename: str, session_id: str | None = None
    ) -> None:
        await self._documents.delete_prefix(_folder(app_name, user_id, filename, session_id))

    async def list_versions(
        self, *, app_name: str, user_id: str, filename: str, session_id: str | None = None
    ) -> list[int]:
        return sorted(await self._versions_of(_folder(app_name, user_id, filename, session_id)))

    async def list_artifact_versions(
        self, *, app_name: str, user_id: str, filename: str, session_id: str | None = None
    ) -> list[ArtifactVersion]:
        folder = _folder(app_name, user_id, filename, session_id)
        keys = [info.key async for info in self._documents.list(folder)]
        found = await self._documents.get_many(keys[::-1], first=_HEADER_BYTES)
        return [
            ArtifactVersion.model_validate((await self._header(each))["version"]) for each in found if each
        ]

    async def get_artifact_version(
        self,
        *,
        app_name: str,
        user_id: str,
        filename: str,
        session_id: str | None = None,
        version: int | None = None,
    ) -> ArtifactVersion | None:
        found = await self._read(
            _folder(app_name, user_id, filename, session_id), version, first=_HEADER_BYTES
        )
        return ArtifactVersion.model_validate((await self._header(found))["version"]) if found else None

    async def close(self) -> None:
        """Close all connections. The service may be used again afterwards."""
        await self._documents.close()

    async def _versions_of(self, folder: str, limit: int | None = None) -> list[int]:
        """The versions in a folder, newest first."""
        names = [info.key.removeprefix(folder) async for info in self._documents.list(folder, limit=limit)]
        return [int(bytes(255 - byte for byte in bytes.fromhex(name.rstrip("~")))) for name in names]

    async def _read(self, folder: str, version: int | None, first: int | None = None) -> Document | None:
        if version is None:
            version = next(iter(await self._versions_of(folder, limit=1)), -1)
        if version < 0:
            return None
        return await self._documents.get(f"{folder}{newest_first(f'{version:010}')}", first=first)

    async def _header(self, document: Document) -> Data:
        key = self._documents.full_key(document.key)
        header = decode_frame_header(document.body, key)
        if header is None:
            whole = await self._documents.get(document.key)
            header = decode_frame_header(whole.body, key) if whole else None
        return header or {}

    async def _filename(self, folder: str) -> str:
        """The file name of a folder, which has only the beginning of a long one."""
        segment = folder.split("/")[-2]
        if "%~" not in segment:
            return unquote(segment)
        found = await self._read(folder, None, first=_HEADER_BYTES)
        return str((await self._header(found))["filename"]) if found else ""


def _open(url_or_store: Any, folder: str) -> AsyncDocumentStore:
    if isinstance(url_or_store, (str, os.PathLike)):
        return open_async_documents(url_or_store, folder, integration=True)
    return cast("AsyncDocumentStore", url_or_store.documents(folder, integration=True))


def _name(app_name: str, user_id: str, session_id: str) -> str:
    return f"{encode_segment(app_name)}/u/{encode_segment(user_id)}/s/{encode_segment(session_id)}"


def _scope_keys(app_name: str, user_id: str) -> dict[str, str]:
    app = encode_segment(app_name)
    return {"app": f"{app}/app.json", "user": f"{app}/u/{encode_segment(user_id)}/user.json"}


def _deltas(state: Data | None) -> dict[str, Data]:
    return _session_util.extract_json_safe_state_delta(state or {})


def _owed(deltas: Mapping[str, Data]) -> list[Data]:
    if not deltas["app"] and not deltas["user"]:
        return []
    return [{"id": uuid4().hex, "app": deltas["app"], "user": deltas["user"]}]


def _check_fresh(session: Session, metadata: Data) -> None:
    marker = session._storage_update_marker
    if marker != metadata["marker"] if marker else metadata["update_time"] > session.last_update_time:
        raise StaleSessionError(
            f"Session {session.id} was changed since it was read. Get it again before the next append."
        )


def _folder(app_name: str, user_id: str, filename: str | None, session_id: str | None) -> str:
    """The folder of a file's versions, or of all files of a session or user."""
    owner = f"{encode_segment(app_name)}/{encode_segment(user_id)}"
    if filename is not None and not filename.startswith("user:"):
        if session_id is None:
            raise InputValidationError("Session ID must be provided for session-scoped artifacts.")
    elif filename is not None:
        session_id = None
    scope = "u" if session_id is None else f"s/{encode_segment(session_id)}"
    return f"{owner}/{scope}/" + ("" if filename is None else f"{encode_segment(filename)}/")


def _mime_type(part: types.Part) -> str | None:
    if part.inline_data is not None:
        return part.inline_data.mime_type
    if part.text is not None:
        return "text/plain"
    return None if part.file_data is None or artifact_util.is_artifact_ref(part) else part.file_data.mime_type
