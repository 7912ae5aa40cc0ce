"""A storage for Strands Agents."""

from __future__ import annotations

import builtins
import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from strands.storage import Storage
from strands.storage.storage import _NAMESPACED, _normalize_key, _normalize_prefix
from strands.types.exceptions import StorageError

from sessionbucket import Document, SessionBucketError, open_async_documents

if TYPE_CHECKING:
    from sessionbucket import AsyncSessionStore

_FOLDER = "strands"
_REPOSITORY = "repository/"


class BucketStorage(Storage):
    """Keeps bytes in a bucket or folder under ``strands/``, for ``SnapshotSessionManager`` and every other use of a storage.

    Keys and bytes are unchanged. So ``S3Storage("bucket", prefix="prefix/strands")`` and ``BucketStorage("s3://bucket/prefix")`` read
    each other's data. A key that this storage has read is written on the condition that no one changed it since. A lost response is no
    conflict. Every method raises ``StorageError``, whose cause is a ``SessionBucketError``.
    """

    def __init__(
        self,
        url_or_store: str | os.PathLike[str] | AsyncSessionStore[Any],
        *,
        on_conflict: Literal["raise", "overwrite"] = "raise",
    ) -> None:
        """``url_or_store`` is that of ``open_async_store``, or an open store. Raises ``InvalidArgumentError`` for a bad URL.

        With ``on_conflict="overwrite"``, each write replaces any version, as in ``S3Storage``.
        """
        if isinstance(url_or_store, (str, os.PathLike)):
            self._documents = open_async_documents(url_or_store, _FOLDER, integration=True)
        else:
            self._documents = url_or_store.documents(_FOLDER, integration=True)
        self._overwrites = on_conflict == "overwrite"
        self._read: dict[str, Document | None] = {}  # without bodies, for the next write
        self._prefix = ""
        self._namespaced: object = None

    async def write(self, key: str, data: bytes) -> None:
        """Write the data. Raises ``StorageError`` when another worker changed the key after this storage read it."""
        key = self._full(key)
        with _failing(f"Failed to write '{key}'"):
            if key not in self._read or self._overwrites:
                await self._documents.put(key, bytes(data))
                return
            seen = self._read[key]
            written = await self._documents.update(key, lambda _: bytes(data), seen=seen, attempts=1)
            self._read[key] = _without_body(written)

    async def read(self, key: str) -> bytes | None:
        """Return the data, or None when the key does not exist."""
        key = self._full(key)
        with _failing(f"Failed to read '{key}'"):
            found = await self._documents.get(key)
        self._read[key] = _without_body(found)
        return found.body if found else None

    async def delete(self, key: str) -> None:
        """Delete the key, whatever its version. A missing key counts as deleted."""
        key = self._full(key)
        with _failing(f"Failed to delete '{key}'"):
            await self._documents.delete(key)
        self._read.pop(key, None)

    async def list(self, query: str = "") -> builtins.list[str]:
        """Return the keys that start with the prefix, sorted."""
        prefix = self._prefix + _normalize_prefix(query)
        with _failing(f"Failed to list keys with prefix '{query}'"):
            found = [info.key async for info in self._documents.list(prefix)]
        return sorted(key[len(self._prefix) :] for key in found if not key.startswith(_REPOSITORY))

    def namespace(self, prefix: str) -> BucketStorage:
        """Return a storage of the keys under the prefix, which has the same connections."""
        scoped = copy.copy(self)
        normalized = _normalize_prefix(prefix).rstrip("/")
        scoped._prefix = f"{self._prefix}{normalized}/" if normalized else self._prefix  # noqa: SLF001
        scoped._namespaced = _NAMESPACED  # noqa: SLF001
        return scoped

    def _full(self, key: str) -> str:
        full = self._prefix + _normalize_key(key)
        if full.startswith(_REPOSITORY):
            raise StorageError(
                f"Invalid storage key '{key}': '{_REPOSITORY}' belongs to BucketSessionRepository"
            )
        return full

    async def close(self) -> None:
        """Close all connections. The storage may be used again afterwards."""
        await self._documents.close()


def _without_body(document: Document | None) -> Document | None:
    return document and document._replace(body=b"", size=0)


@contextmanager
def _failing(message: str) -> Iterator[None]:
    try:
        yield
    except SessionBucketError as error:
        raise StorageError(f"{message}: {error}") from error
