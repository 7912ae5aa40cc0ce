"""An artifact service of ADK."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote
from uuid import uuid4

from google.adk.artifacts import artifact_util
from google.adk.artifacts.base_artifact_service import ArtifactVersion, BaseArtifactService, ensure_part
from google.adk.errors.input_validation_error import InputValidationError
from google.genai import types

from sessionbucket import (
    ConflictError,
    Document,
    decode_frame,
    decode_frame_header,
    encode_frame,
    encode_segment,
    newest_first,
    open_async_documents,
)

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore

_FOLDER = "adk-artifacts"
_HEADER_BYTES = 16 * 1024
_MOST_REFERENCES = 5

Data = dict[str, Any]


class BucketArtifactService(BaseArtifactService):
    """Keeps artifacts in a bucket or folder under ``adk-artifacts/``, each version in one immutable document.

    A save is one LIST and one PUT, and exactly one version also when a response is lost or several workers save at once. A load is one LIST and
    one GET, or one GET for a known version. Every method may raise ``SessionBucketError``.
    """

    def __init__(self, url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any]) -> None:
        """``url_or_store`` is that of ``open_async_store``, or an open store. Raises ``InvalidArgumentError`` for a bad URL."""
        if isinstance(url_or_store, (str, os.PathLike)):
            self._documents = open_async_documents(url_or_store, _FOLDER, integration=True)
        else:
            self._documents = url_or_store.documents(_FOLDER, integration=True)

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
        save_id = uuid4().hex
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
                "save": save_id,
                "filename": filename,
                "version": described.model_dump(mode="json"),
                "part": part.model_dump(mode="json", exclude_none=True, exclude={"inline_data": {"data"}}),
            }
            try:
                await self._documents.put(key, encode_frame(header, {"data": ("", data)}), if_absent=True)
            except ConflictError as error:
                if error.outcome == "unknown" and await self._is_of(key, header):
                    return version
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
        for depth in range(_MOST_REFERENCES, -1, -1):
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
        return None if part == types.Part() or artifact_util._is_rewind_tombstone(part) else part  # noqa: SLF001

    async def list_artifact_keys(
        self, *, app_name: str, user_id: str, session_id: str | None = None
    ) -> list[str]:
        folders = [_folder(app_name, user_id, None, None)]
        if session_id is not None:
            folders.append(_folder(app_name, user_id, None, session_id))
        found = [f"{each}{name}/" for each in folders async for name in self._documents.list_folders(each)]
        return sorted([await self._filename(each) for each in found])

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

    async def _is_of(self, key: str, header: Data) -> bool:
        """Whether a save wrote this key, whose document never changes. Raises ``ConflictError`` when it does not exist any more."""
        found = await self._documents.get(key)
        if found is None:
            raise ConflictError(key, location=self._documents.location, outcome="unknown")
        return bool((await self._header(found))["save"] == header["save"])

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
