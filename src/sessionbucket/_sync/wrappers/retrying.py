"""A bucket that repeats the requests of another while they have no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Anything,
    Condition,
    ObjectInfo,
    ObjectPage,
    StoredObject,
)
from sessionbucket._core.retry import ONCE
from sessionbucket._sync.bucket import Bucket, ObjectStream
from sessionbucket._sync.wrappers.repeated import repeated


class SteadyBucket(Bucket):
    """The bucket within, with every request repeated that may be done twice without harm.

    A conditional put may not, and is left to ``conditional``. A stream that has begun can't be begun again here.
    """

    def __init__(self, inner: Bucket) -> None:
        self.inner = inner
        self.name = inner.name
        self.patience = inner.patience
        self.page_limit = inner.page_limit
        self.conditional_writes = inner.conditional_writes

    @property
    def distinguishes_case(self) -> bool:
        return self.inner.distinguishes_case

    @property
    def location(self) -> str:
        return self.inner.location

    def get(self, key: str, *, max_bytes: int) -> StoredObject | None:
        return repeated(lambda: self.inner.get(key, max_bytes=max_bytes), self.patience)

    def head(self, key: str) -> ObjectInfo | None:
        return repeated(lambda: self.inner.head(key), self.patience)

    def put(
        self,
        key: str,
        body: bytes,
        *,
        condition: Condition = Anything(),  # noqa: B008 (frozen)
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> str:
        return repeated(
            lambda: self.inner.put(
                key, body, condition=condition, content_type=content_type, metadata=metadata
            ),
            self.patience if isinstance(condition, Anything) else ONCE,
        )

    def delete(self, keys: Sequence[str]) -> None:
        repeated(lambda: self.inner.delete(keys), self.patience)

    def list_page(
        self, prefix: str, *, delimiter: str = "", start_after: str = "", limit: int = PAGE_LIMIT
    ) -> ObjectPage:
        return repeated(
            lambda: self.inner.list_page(prefix, delimiter=delimiter, start_after=start_after, limit=limit),
            self.patience,
        )

    def put_stream(
        self,
        key: str,
        chunks: Iterator[bytes],
        *,
        size: int | None = None,
        content_type: str = "application/octet-stream",
    ) -> None:
        self.inner.put_stream(key, chunks, size=size, content_type=content_type)

    def get_stream(self, key: str) -> ObjectStream | None:
        return repeated(lambda: self.inner.get_stream(key), self.patience)

    def presign(self, key: str, *, expires_in: timedelta, filename: str) -> str:
        return self.inner.presign(key, expires_in=expires_in, filename=filename)

    def leftovers(self, prefix: str) -> list[ObjectInfo]:
        return repeated(lambda: self.inner.leftovers(prefix), self.patience)

    def close(self) -> None:
        self.inner.close()
