"""The documents of Agent Framework in a store."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from sessionbucket import Document, SessionCorruptedError, open_async_documents

if TYPE_CHECKING:
    from sessionbucket import AsyncDocumentStore, AsyncSessionStore

_FOLDER = "agent-framework"
_FORMAT = 1


class FrameworkDocuments:
    """The folder ``agent-framework`` of a store, with JSON documents that begin with a format version."""

    def __init__(self, url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any]) -> None:
        self._documents: AsyncDocumentStore = (
            open_async_documents(url_or_store, _FOLDER, integration=True)
            if isinstance(url_or_store, (str, os.PathLike))
            else url_or_store.documents(_FOLDER, integration=True)
        )

    def _encoded(self, value: Any) -> bytes:
        return json.dumps({"format": _FORMAT, "value": value}, ensure_ascii=False).encode()

    def _decoded(self, document: Document) -> Any:
        try:
            match json.loads(document.body):
                case {"format": 1, "value": dict() as value}:
                    return value
        except ValueError:
            pass
        full_key = self._documents.full_key(document.key)
        raise SessionCorruptedError(full_key, f"it is no document of format {_FORMAT}")

    async def close(self) -> None:
        """Close all connections. The object may be used again afterwards."""
        await self._documents.close()
