"""A store from its URL."""

from __future__ import annotations

from typing import cast, overload

from sessionbucket._s3.options import S3Options
from sessionbucket._sync.base import SessionT
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.buckets.files import FileBucket
from sessionbucket._sync.buckets.memory import MemoryBucket
from sessionbucket._sync.store import SessionStore
from sessionbucket.codec import DEFAULT_MAX_BYTES
from sessionbucket.errors import InvalidArgumentError
from sessionbucket.models import SessionData
from sessionbucket.urls import S3URL, FileURL, MemoryURL, parse_url

ENGINE = "boto3"


@overload
def open_store(
    url: str | None = None, *, max_bytes: int = DEFAULT_MAX_BYTES
) -> SessionStore[SessionData]: ...


@overload
def open_store(
    url: str | None = None, *, model: type[SessionT], max_bytes: int = DEFAULT_MAX_BYTES
) -> SessionStore[SessionT]: ...


def open_store(
    url: str | None = None, *, model: type[SessionT] | None = None, max_bytes: int = DEFAULT_MAX_BYTES
) -> SessionStore[SessionT]:
    """Open the store at a URL: ``s3://bucket/prefix?option=value``, ``file:///folder`` or ``memory://``.

    Without a URL, ``SESSIONBUCKET_URL`` says where. Nothing is connected before the first use. ``model`` is any
    pydantic model with an ``id: str`` (``SessionData`` by default), ``max_bytes`` the most bytes a session or part may
    have. The options of S3 are those of ``S3Options``, and ``engine``; those of a folder are ``fsync`` and ``create``.

    Raises ``InvalidArgumentError`` for a URL or option that is unknown, bad or contradicts another.
    """
    parsed = parse_url(url)
    prefix = ""
    bucket: Bucket
    match parsed:
        case MemoryURL():
            bucket = MemoryBucket()
        case FileURL(root, fsync, create):
            bucket = FileBucket(root, fsync=fsync, create=create)
        case S3URL():
            bucket, prefix = _s3_bucket(parsed), parsed.prefix
    chosen = cast("type[SessionT]", SessionData) if model is None else model
    return SessionStore(bucket, prefix, model=chosen, max_bytes=max_bytes)


def _s3_bucket(url: S3URL) -> Bucket:
    if url.engine not in (None, ENGINE):
        raise InvalidArgumentError(f"engine {url.engine!r} is unknown here; there is: {ENGINE}")
    from sessionbucket._sync.buckets.s3 import S3Bucket  # noqa: PLC0415 (loads botocore)

    return S3Bucket(url.bucket, **cast("S3Options", url.options))
