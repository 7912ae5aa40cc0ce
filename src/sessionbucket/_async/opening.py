"""A store from its URL."""

from __future__ import annotations

from typing import cast, overload

from sessionbucket._async.base import SessionT
from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.buckets.files import AsyncFileBucket
from sessionbucket._async.buckets.memory import AsyncMemoryBucket
from sessionbucket._async.store import AsyncSessionStore
from sessionbucket._s3.options import S3Options
from sessionbucket.codec import DEFAULT_MAX_BYTES
from sessionbucket.errors import InvalidArgumentError
from sessionbucket.models import SessionData
from sessionbucket.urls import S3URL, FileURL, MemoryURL, parse_url

ENGINE = "aioboto3"


@overload
def open_async_store(
    url: str | None = None, *, max_bytes: int = DEFAULT_MAX_BYTES
) -> AsyncSessionStore[SessionData]: ...


@overload
def open_async_store(
    url: str | None = None, *, model: type[SessionT], max_bytes: int = DEFAULT_MAX_BYTES
) -> AsyncSessionStore[SessionT]: ...


def open_async_store(
    url: str | None = None, *, model: type[SessionT] | None = None, max_bytes: int = DEFAULT_MAX_BYTES
) -> AsyncSessionStore[SessionT]:
    """Open the store at a URL: ``s3://bucket/prefix?option=value``, ``file:///folder`` or ``memory://``.

    Without a URL, ``SESSIONBUCKET_URL`` says where. Nothing is connected before the first use. ``model`` is any
    pydantic model with an ``id: str`` (``SessionData`` by default), ``max_bytes`` the most bytes a session or part may
    have. The options of S3 are those of ``S3Options``, and ``engine``; those of a folder are ``fsync`` and ``create``.

    Raises ``InvalidArgumentError`` for a URL or option that is unknown, bad or contradicts another.
    """
    parsed = parse_url(url)
    prefix = ""
    bucket: AsyncBucket
    match parsed:
        case MemoryURL():
            bucket = AsyncMemoryBucket()
        case FileURL(root, fsync, create):
            bucket = AsyncFileBucket(root, fsync=fsync, create=create)
        case S3URL():
            bucket, prefix = _s3_bucket(parsed), parsed.prefix
    chosen = cast("type[SessionT]", SessionData) if model is None else model
    return AsyncSessionStore(bucket, prefix, model=chosen, max_bytes=max_bytes)


def _s3_bucket(url: S3URL) -> AsyncBucket:
    if url.engine not in (None, ENGINE):
        raise InvalidArgumentError(f"engine {url.engine!r} is unknown here; there is: {ENGINE}")
    from sessionbucket._async.buckets.s3 import AsyncS3Bucket  # noqa: PLC0415 (loads botocore)

    return AsyncS3Bucket(url.bucket, **cast("S3Options", url.options))
