"""The health check: list, write, read and delete under the prefix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sessionbucket._core.keys import Layout
from sessionbucket._sync.bucket import Bucket
from sessionbucket.errors import SessionBucketError, StorageError, StoreUnavailableError

_BODY = b"ok"


def check_health(bucket: Bucket, layout: Layout) -> None:
    """Raises the error of the step that failed, naming it; the probe object is removed."""
    key = f"{layout.bookkeeping}health/{uuid4().hex}"
    with _step("list", bucket.location, layout.root):
        bucket.list_page(layout.root, delimiter="/", limit=1)
    with _step("write", bucket.location, key):
        bucket.put(key, _BODY)
    try:
        with _step("read", bucket.location, key):
            found = bucket.get(key, max_bytes=1024)
            if found is None or found.body != _BODY:
                raise StoreUnavailableError(
                    "what was read is not what had been written", location=bucket.location, key=key
                )
    finally:
        with _step("delete", bucket.location, key):
            bucket.delete([key])


@contextmanager
def _step(name: str, location: str, key: str) -> Iterator[None]:
    try:
        yield
    except SessionBucketError as error:
        kind = type(error) if isinstance(error, StorageError) else StoreUnavailableError
        reason = error.reason if isinstance(error, StorageError) else str(error)
        raise kind(
            f"the health check could not {name} under the prefix: {reason}", location=location, key=key
        ) from error.__cause__
