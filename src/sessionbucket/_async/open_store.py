"""A store from its URL."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, cast, overload

from sessionbucket._async.base_store import SessionT
from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.store import AsyncSessionStore
from sessionbucket._codec import DEFAULT_MAX_BYTES
from sessionbucket._core.store_url import CloudURL, FileURL, MemoryURL, parse_url
from sessionbucket.errors import InvalidArgumentError
from sessionbucket.models.session import SessionData

if TYPE_CHECKING:
    from sessionbucket._backends.obstore.options import ObstoreOptions
    from sessionbucket._backends.s3.options import S3Options

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
    """Open the store at a URL: ``s3://bucket/prefix?option=value``, ``file:///folder`` or ``memory://``; and with obstore
    ``gs://bucket/prefix`` (Google Cloud Storage) or ``az://container/prefix`` (Azure).

    Without a URL, ``SESSIONBUCKET_URL`` says where. Nothing is connected before the first use. ``model`` is any
    pydantic model with an ``id: str`` (``SessionData`` by default), ``max_bytes`` the most bytes a session or part may
    have. The options of S3 are those of ``S3Options``, and ``engine``: ``boto3``/``aioboto3`` (the default),
    ``obstore``, or ``auto``, which is obstore where it is installed and has all the options. The other clouds have those
    of ``CloudOptions``, and a folder has ``fsync`` and ``create``.

    Raises ``InvalidArgumentError`` for a URL or option that is unknown, bad or contradicts another.
    """
    parsed = parse_url(url)
    prefix = ""
    bucket: AsyncBucket
    match parsed:
        case MemoryURL():
            bucket = _memory_bucket()
        case FileURL():
            bucket = _file_bucket(parsed)
        case CloudURL():
            bucket, prefix = _cloud_bucket(parsed), parsed.prefix
    chosen = cast("type[SessionT]", SessionData) if model is None else model
    return AsyncSessionStore(bucket, prefix, model=chosen, max_bytes=max_bytes)


# Each kind of bucket loads what only it needs: locks of files, botocore, obstore.


def _memory_bucket() -> AsyncBucket:
    from sessionbucket._async.buckets.memory import AsyncMemoryBucket  # noqa: PLC0415

    return AsyncMemoryBucket()


def _file_bucket(url: FileURL) -> AsyncBucket:
    from sessionbucket._async.buckets.file import AsyncFileBucket  # noqa: PLC0415

    return AsyncFileBucket(url.root, fsync=url.fsync, create=url.create)


def _cloud_bucket(url: CloudURL) -> AsyncBucket:
    engines = (ENGINE, "obstore", "auto") if url.cloud == "s3" else ("obstore", "auto")
    engine = url.engine or engines[0]
    if engine not in engines:
        raise InvalidArgumentError(
            f"engine {engine!r} is unknown here; of {url.cloud}:// there are: {', '.join(engines)}"
        )
    if engine == "auto" and url.cloud == "s3":
        engine = "obstore" if find_spec("obstore") and _suits_obstore(url) else ENGINE
    if engine == ENGINE:
        from sessionbucket._async.buckets.s3 import AsyncS3Bucket  # noqa: PLC0415

        return AsyncS3Bucket(url.bucket, **cast("S3Options", url.options))
    from sessionbucket._async.buckets.obstore import AsyncObstoreBucket  # noqa: PLC0415

    return AsyncObstoreBucket(url.bucket, cloud=url.cloud, **cast("ObstoreOptions", url.options))


def _suits_obstore(url: CloudURL) -> bool:
    from sessionbucket._backends.obstore.options import UNSUPPORTED  # noqa: PLC0415

    return UNSUPPORTED.isdisjoint(url.options)
