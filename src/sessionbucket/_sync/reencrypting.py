# Generated from sessionbucket/_async/reencrypting.py by scripts/generate_sync.py: do not edit.
"""Encrypting the objects of a store again: after a rotation of its keys, or for the first time."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from sessionbucket._concurrency.threads import closing, gather
from sessionbucket._core.arguments import check_kind
from sessionbucket._core.inventory import FILES
from sessionbucket._core.keys import StoreKeys
from sessionbucket._core.objects import COPY_BYTES, ObjectInfo, StoredObject
from sessionbucket._core.pagination import check_concurrency
from sessionbucket._core.results import ReencryptOutcome, ReencryptResult
from sessionbucket._core.write_ids import HISTORY_ENTRY, written_version
from sessionbucket._sync.bucket_listing import list_pages
from sessionbucket._sync.conditional_write_support import SupportProbe
from sessionbucket._sync.documents import ConditionalWriter, retry_after_conflicts
from sessionbucket._sync.store import SessionStore
from sessionbucket._sync.wrappers.encrypting import EncryptingBucket
from sessionbucket._sync.wrappers.retrying import RetryingBucket
from sessionbucket.errors import (
    BucketNotFoundError,
    ConflictError,
    InvalidArgumentError,
    SessionBucketError,
    StoreUnavailableError,
)

_STREAMED_BYTES = 8 * 1024 * 1024
"""Files above this size are streamed."""

_DEFAULT_TYPE = "application/octet-stream"


def reencrypt_store(
    store: SessionStore[Any], *, prefix: str = "", concurrency: int = 8
) -> Generator[ReencryptResult, None, None]:
    """Encrypt every object again that is not encrypted with the current key of the store, ``concurrency`` objects at a time.

    With ``prefix``, these are the sessions whose ids start with it, with their parts and files; without it, every object of the store.
    Objects that are not encrypted at all are encrypted if the store is open with ``accept_plain=True``. It is safe to repeat and to
    interrupt. Yields the result of each object, in the order of the keys; an object that cannot be read does not stop the others.

    An object is rewritten as a new version, on the condition that it has not changed, and from a fresh read after a conflict. So a
    session that another worker has loaded conflicts when that worker saves it; its ``update`` repeats the change. The condition
    of a file above 8 MiB is compared when its last chunk has been sent. On a versioned bucket, the older versions keep their keys.

    Raises ``StoreUnavailableError`` and ``BucketNotFoundError`` at once, and ``InvalidArgumentError`` for a store that is not
    encrypted and a ``concurrency`` below 1.
    """
    check_kind("store", store, SessionStore)
    check_concurrency(concurrency)
    if not isinstance(store.bucket, EncryptingBucket):
        raise InvalidArgumentError(
            "store is refused: it is not encrypted; open it with its keys (encryption=…)"
        )
    reencryption = _Reencryption(store.bucket)
    for objects in reencryption.pages(prefix):
        calls = [partial(reencryption.result, info) for info in objects]
        for result in gather(calls, limit=concurrency):
            if result is not None:
                yield result


class _Reencryption:
    """Encrypts single objects again; several at a time."""

    def __init__(self, bucket: EncryptingBucket) -> None:
        self._bucket = bucket
        self._keys = StoreKeys(bucket.prefix)
        self._retrying = RetryingBucket(bucket)
        support = SupportProbe(self._retrying, f"{self._keys.bookkeeping}probe/")
        self._writer = ConditionalWriter(bucket, support)

    def pages(self, prefix: str) -> Generator[list[ObjectInfo], None, None]:
        """The objects to look at, page by page."""
        if not prefix:
            for page in list_pages(self._retrying, self._keys.root):
                yield page.objects
            return
        for page in list_pages(self._retrying, self._keys.id_prefix(prefix), delimiter="/"):
            yield page.objects
        for folder in self._keys.part_prefixes(prefix):
            for page in list_pages(self._retrying, folder):
                yield page.objects

    def result(self, info: ObjectInfo) -> ReencryptResult | None:
        """Encrypt one object again. Returns None for an object that is deleted meanwhile."""
        try:
            outcome = retry_after_conflicts(
                partial(self._once, info), attempts=10, location=self._bucket.location
            )
        except (StoreUnavailableError, BucketNotFoundError):
            raise
        except SessionBucketError as error:
            return ReencryptResult(info.key, "failed", str(error))
        return outcome and ReencryptResult(info.key, outcome)

    def _once(self, info: ObjectInfo) -> ReencryptOutcome | None:
        start = self._bucket.start(info.key)
        if start is None or info.key.endswith("/"):  # SeaweedFS lists an empty folder as an object
            return None
        if self._bucket.has_current_key(start):
            return "current"
        if info.size > _STREAMED_BYTES and self._is_file(info.key):
            return self._stream(start)
        found = self._retrying.get(info.key, max_bytes=COPY_BYTES)
        if found is None:
            return None
        metadata = {name: value for name, value in found.info.metadata.items() if name != HISTORY_ENTRY}
        self._writer.write(
            info.key,
            found.body,
            written_version(found.info),
            content_type=found.info.content_type or _DEFAULT_TYPE,
            metadata=metadata,
        )
        return "encrypted"

    def _is_file(self, key: str) -> bool:
        return key.startswith(self._keys.part_folders) and self._keys.part(key)[0] == FILES

    def _stream(self, start: StoredObject) -> ReencryptOutcome | None:
        key = start.info.key
        stream = self._bucket.get_stream(key)
        if stream is None:
            return None

        def chunks() -> Generator[bytes, None, None]:
            for chunk in stream.chunks:
                yield chunk
            now = self._bucket.start(key)
            if now is None or now.info.version != start.info.version:
                raise ConflictError(key, location=self._bucket.location)

        with closing(stream.chunks):
            self._bucket.put_stream(
                key, chunks(), size=stream.info.size, content_type=stream.info.content_type or _DEFAULT_TYPE
            )
        return "encrypted"
