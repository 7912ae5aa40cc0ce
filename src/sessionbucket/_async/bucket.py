"""The port: what a bucket must do for the whole store to work on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Anything,
    Condition,
    ConditionalWrites,
    ObjectInfo,
    ObjectPage,
    StoredObject,
)
from sessionbucket._core.retry import Patience
from sessionbucket.errors import NotSupportedError


@dataclass(frozen=True, slots=True)
class AsyncObjectStream:
    """An object whose body is read in chunks. Whoever takes it closes ``chunks``."""

    info: ObjectInfo
    chunks: AsyncGenerator[bytes, None]


class AsyncBucket(ABC):
    """Bytes at keys, as S3 keeps them. A subclass gets the whole store.

    Keys are non-empty strings of at most 1,024 UTF-8 bytes whose ``/``-separated segments are neither empty,
    ``.`` nor ``..``. Every method may raise the errors of ``sessionbucket.errors`` and no others: a client
    library's error becomes the ``__cause__`` of ours. A method that raises has changed nothing, except where it
    says otherwise. Methods may be called from several tasks (or threads, in the sync twin) at once.
    """

    name: str
    """The backend's name, as ``store.backend_name`` gives it: ``"s3"``, ``"file"``, ``"memory"`` or one's own."""

    patience: Patience = Patience()
    """How often the store repeats a request that had no answer; by default never."""

    conditional_writes: ConditionalWrites = "trusted"
    """``"trusted"`` where ``put`` keeps its conditions, ``"probe"`` where that depends on a server and is tried out
    before the first conditional save, ``"off"`` where every save is to be unconditional."""

    page_limit: int = PAGE_LIMIT
    """The most rows that ``list_page`` gives at once: at least 1,000."""

    @property
    def distinguishes_case(self) -> bool:
        """Whether keys that differ only in case are two keys, as in S3. Some file systems make them one."""
        return True

    @property
    @abstractmethod
    def location(self) -> str:
        """Where this bucket is, for messages and to tell one from another.

        Two bucket objects of one location see the same objects, in any process. It holds no secret.
        """

    @abstractmethod
    async def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        """The object at ``key``, whole and of one version, or None where there is none.

        Raises ``SessionTooLargeError`` before reading a body of more than ``max_bytes`` bytes.
        """

    @abstractmethod
    async def head(self, key: str) -> ObjectInfo | None:
        """What ``get`` would give, without the body. The version is always known."""

    @abstractmethod
    async def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Anything(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        """Put the body at the key if the condition holds, and give the new version.

        Readers see the old object or the new one, whole. Comparing and writing are one step for every writer of
        this location, in any process. Raises ``PreconditionFailedError`` when the condition does not hold
        (``Match`` on a missing key included). A conditional put is sent once: after a ``StoreUnavailableError`` whose
        ``outcome`` is ``"unknown"`` it may have been done, and the store finds out.
        A bucket that keeps no metadata or content type drops them without a word.
        """

    @abstractmethod
    async def delete(self, keys: Sequence[str]) -> None:
        """Delete the keys, in any order; a missing one counts as deleted.

        Raises ``DeleteIncompleteError`` naming the keys that are left. After a ``StoreUnavailableError`` whose ``outcome`` is
        ``"unknown"`` any of them may be gone.
        """

    @abstractmethod
    async def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        """At most ``limit`` (1 to ``page_limit``) rows under the prefix, in the order of their UTF-8 bytes.

        A row is an object, or with a delimiter a folder: the common prefix of all keys that have the delimiter
        after ``prefix``, counted once. Rows up to and including ``start_after`` are left out. No body is read.
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
        """Put a body of any size that comes in chunks, unconditionally, holding only a few MiB of it in memory.

        ``size`` is the whole length in bytes where it is known. Readers see the old object or the new one,
        whole; when ``chunks`` raises, the old one stays and nothing is left behind.
        """

    @abstractmethod
    async def get_stream(self, key: str) -> AsyncObjectStream | None:
        """The object at ``key`` as a stream of one version, or None where there is none."""

    async def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        """A URL that gives the object at ``key`` to whoever has it, by a plain GET, with its content type.

        ``expires_in`` is of 1 second to 7 days; a fraction of a second is cut. ``filename`` is the name to save it
        under, for the answer's ``Content-Disposition`` where the backend can sign one. The object need not exist, and
        no request is made. Raises ``NotSupportedError`` where there are no such URLs, which is the default.
        """
        raise NotSupportedError(f"the {self.name} bucket has no links to sign; serve the object yourself")

    async def leftovers(self, prefix: str) -> list[ObjectInfo]:
        """What writes that were cut off left under the prefix, where a bucket has such things; never listed."""
        return []

    async def close(self) -> None:  # noqa: B027 (nothing to close is the common case)
        """Let go of connections. The bucket may be used again afterwards."""
