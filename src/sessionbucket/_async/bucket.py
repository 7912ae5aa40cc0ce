"""The port: what a bucket must do, so that a store works on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from sessionbucket._core.arguments import check_object_infos
from sessionbucket._core.objects import (
    COPY_BYTES,
    NO_METADATA,
    PAGE_LIMIT,
    Always,
    Capabilities,
    Condition,
    Kept,
    ObjectInfo,
    ObjectPage,
    ObjectVersion,
    StoredObject,
    VersionPage,
)
from sessionbucket.errors import NotSupportedError


class AsyncObjectStream(NamedTuple):
    """An object whose body is read in chunks. The caller closes ``chunks``."""

    info: ObjectInfo
    chunks: AsyncGenerator[bytes, None]


class AsyncBucket(ABC):
    """Bytes at keys, as S3 keeps them. A subclass sets ``name`` and ``location``, and a store works on it.

    Keys are non-empty strings of at most 1,024 UTF-8 bytes whose ``/``-separated segments are neither empty,
    ``.`` nor ``..``. A method raises only the errors of ``sessionbucket.errors``; the error of a client library becomes
    their ``__cause__``. A method that raises has changed nothing, unless its description says otherwise. Methods may
    be called from several tasks (of the sync port: from several threads) at once. A bucket sends each request once: the store
    retries, as ``capabilities.retry`` says.
    """

    name: str = "unknown"
    """The name of the backend, as ``store.backend_name`` returns it: ``"s3"``, ``"file"``, ``"memory"`` or your own."""

    client_library: str = ""
    """The library that sends the requests, by the name that an instrumentation of OpenTelemetry has for it. Empty for any other."""

    sends_bare_etags: bool = False
    """Whether conditions are sent as versions without their quotes. The probe sets it for a server that requires that."""

    @property
    @abstractmethod
    def location(self) -> str:
        """The place of this bucket, for messages and for comparison. It holds no secret.

        Two bucket objects with one location see the same objects, in any process.
        """

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.location}>"

    @property
    def capabilities(self) -> Capabilities:
        """What this bucket can do, and how a store must treat it."""
        return Capabilities()

    @abstractmethod
    async def get(self, key: str, *, max_bytes: int, first: int | None = None) -> StoredObject | None:
        """Return the object at ``key``, whole and of one version, or None when it does not exist.

        With ``first``, which is at least 1, the body is this many first bytes alone, or all if there are fewer, and the size that of
        the whole object. The description may then lack the version. A bucket that cannot read a part reads the whole and cuts it.

        Raises ``ObjectTooLargeError`` for a body of more than ``max_bytes`` bytes, before reading it. With ``first``, that is the
        body to return, so an object of any size is read.
        """

    @abstractmethod
    async def head(self, key: str) -> ObjectInfo | None:
        """Return the description that ``get`` would return, without the body. It always has the version."""

    async def exists(self, key: str) -> bool:
        """Return whether ``head`` finds an object. A bucket may override it when that is cheaper."""
        return await self.head(key) is not None

    @abstractmethod
    async def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Always(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        """Put the body at the key if the condition holds, and return the new version.

        Readers see the old object or the new one, whole. Comparing and writing are one atomic step among all writers of
        this location, in any process. Raises ``PreconditionFailedError`` when the condition does not hold
        (``IfMatch`` on a missing key included). A conditional put is sent once: after a ``StoreUnavailableError`` whose
        ``outcome`` is ``"unknown"`` it may have been done, and the store resolves that.
        A bucket that keeps no metadata or content type drops them silently.
        """

    async def copy(self, source: str, target: str) -> bool:
        """Copy the object with its content type and metadata over any object at ``target``. Return whether the source exists.

        Readers of the target see the old object or the new one, whole. After a ``StoreUnavailableError`` whose ``outcome`` is
        ``"unknown"`` it may have been done. By default this is a ``get`` and a ``put``; override it where the server copies.
        Raises ``ObjectTooLargeError`` for an object above 5 GiB, the most that S3 copies in one request.
        """
        found = await self.get(source, max_bytes=COPY_BYTES)
        if found is None:
            return False
        info = found.info
        content_type = info.content_type or "application/octet-stream"
        await self.put(target, found.body, content_type=content_type, metadata=info.metadata)
        return True

    @abstractmethod
    async def delete(self, keys: Sequence[str]) -> None:
        """Delete the keys, in any order. A missing key counts as deleted.

        Raises ``DeleteIncompleteError`` with the remaining keys. After a ``StoreUnavailableError`` whose ``outcome`` is
        ``"unknown"``, any of the keys may have been deleted.
        """

    async def delete_if(self, key: str, version: str) -> None:
        """Delete the key if it is in exactly this version. A missing key counts as deleted, where the server does not refuse it.

        Comparing and deleting are one atomic step among all writers of this location. Raises ``PreconditionFailedError`` when the
        key is in another version, and on some servers when it is missing. Raises ``NotSupportedError`` where conditional deletes
        are not supported, which is the default.
        """
        raise NotSupportedError(f"the {self.name} bucket has no conditional deletes")

    @abstractmethod
    async def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        """List at most ``limit`` (1 to ``capabilities.page_limit``) rows under the prefix, in the order of their UTF-8 bytes.

        A row is an object, or with a delimiter a folder: the common prefix of all keys that contain the delimiter
        after ``prefix``, as one row. Rows up to and including ``start_after`` are left out; it may end in the delimiter. No body
        is read.
        """

    @abstractmethod
    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        """Put a body of any size that arrives in chunks, unconditionally, with only a few MiB of it in memory.

        ``size`` is the total length in bytes, when it is known. Readers see the old object or the new one,
        whole. When ``chunks`` raises, the old object stays and nothing else remains.
        """

    @abstractmethod
    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        """Return the object at ``key`` as a stream of one version, or None when it does not exist."""

    async def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        """Sign a URL from which anyone can GET the object at ``key``, with its content type and without credentials.

        ``expires_in`` is 1 second to 7 days; a fraction of a second is cut off. ``filename`` is the name to save it
        under, for the response's ``Content-Disposition`` if the backend can sign one. The object need not exist, and
        no request is sent. Raises ``NotSupportedError`` when the backend has no such URLs, which is the default.
        """
        raise NotSupportedError(f"the {self.name} bucket has no presigned URLs; serve the object yourself")

    async def temporary_objects(self, prefix: str) -> list[ObjectInfo]:
        """List the temporary objects of writes under the prefix that are running or were interrupted. By default there are none.

        They appear in no other listing. Where several uploads may have one key, ``version`` is the id of the upload.
        """
        return []

    async def remove_temporary(self, objects: Sequence[ObjectInfo]) -> None:
        """Remove objects that ``temporary_objects`` listed, and nothing else at their keys. One that is missing counts as removed.

        Readers of the keys notice nothing; a writer who is still running fails. By default this is a ``delete`` of their keys;
        override it where those are the keys of objects.
        """
        check_object_infos(objects)
        await self.delete([each.key for each in objects])

    async def keeps_versions(self) -> bool:
        """Return whether the bucket keeps, or has ever kept, the versions of an object that a put or delete replaces.

        The setting of the bucket decides that, never the response to a put. Raises ``NotSupportedError`` where it cannot be found
        out. By default it is False: a put or delete leaves nothing of the body that it replaces.
        """
        return False

    async def list_versions(
        self, prefix: str, *, start_after: tuple[str, str] = ("", ""), limit: int = PAGE_LIMIT
    ) -> VersionPage:
        """List at most ``limit`` (1 to 1,000) versions and delete markers under the prefix, in the order of ``VersionPage``.

        ``start_after`` is a key and the id of one of its versions; versions up to and including it are left out. Raises
        ``NotSupportedError`` where no versions are kept, which is the default.
        """
        raise self._without_versions()

    async def get_version(self, key: str, version_id: str, *, max_bytes: int) -> StoredObject | None:
        """Return the object in this version, or None when the key has no such version, or it is a delete marker.

        Raises ``ObjectTooLargeError`` as ``get`` does, and ``NotSupportedError`` where no versions are kept, which is the default.
        """
        raise self._without_versions()

    async def erase(
        self, versions: Sequence[ObjectVersion], *, bypass_governance: bool = False
    ) -> list[Kept]:
        """Erase exactly these versions and delete markers for good, and return those that the server did not erase.

        A missing version counts as erased. When the current version is erased, the newest remaining one becomes the current
        one. ``bypass_governance`` also erases versions under a lock in governance mode, for credentials that may do that. After a
        ``StoreUnavailableError`` whose ``outcome`` is ``"unknown"``, any of the versions may have been erased; the call can be
        repeated. Raises ``NotSupportedError`` where no versions are kept, which is the default.
        """
        raise self._without_versions()

    def _without_versions(self) -> NotSupportedError:
        return NotSupportedError(f"the {self.name} bucket keeps no versions")

    async def close(self) -> None:  # noqa: B027 (many buckets have nothing to close)
        """Close all connections. The bucket may be used again afterwards."""
