"""Opening a bucket, and a document store in it, at a URL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Unpack, cast

from sessionbucket._async.bucket import AsyncBucket
from sessionbucket._async.documents import AsyncDocumentStore
from sessionbucket._core.arguments import check_kind
from sessionbucket._core.keyring import KeyProvider
from sessionbucket._core.objects import DEFAULT_MAX_BYTES
from sessionbucket._core.store_url import CloudURL, FileURL, MemoryURL, parse_url
from sessionbucket.errors import InvalidArgumentError

if TYPE_CHECKING:
    from sessionbucket._backends.obstore.options import ObstoreOptions
    from sessionbucket._backends.s3.options import S3Options
    from sessionbucket._backends.store_options import StoreOptions
    from sessionbucket._core.telemetry import Telemetry

DEFAULT_ENGINE = "aioboto3"


def open_async_documents(
    url: str | os.PathLike[str] | None,
    name: str,
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
    integration: bool = False,
    encryption: KeyProvider | None = None,
    accept_plain: bool = False,
    telemetry: Telemetry | bool = False,
    session: Any = None,
    **options: Unpack[StoreOptions],
) -> AsyncDocumentStore:
    """Open the document store in the folder ``name`` of the store at a URL; ``open_async_store`` describes URLs and options.

    With ``integration``, ``name`` must be the folder of one of this library's integrations, such as ``"langgraph"``: use it to read
    their documents. Without it, their names are refused.

    Raises ``InvalidArgumentError`` for a bad URL, option or name.
    """
    bucket, prefix = open_bucket(url, session, options)
    bucket = traced(bucket, telemetry_of(telemetry))
    bucket = encrypted(bucket, prefix, encryption, accept_plain=accept_plain)
    return AsyncDocumentStore(bucket, name, prefix=prefix, max_bytes=max_bytes, integration=integration)


def open_bucket(
    url: str | os.PathLike[str] | None, session: Any, options: Mapping[str, Any]
) -> tuple[AsyncBucket, str]:
    """The bucket at a URL, and the prefix in it. Each kind of bucket loads only what it needs itself."""
    parsed = parse_url(url, options)
    if session is not None and not isinstance(parsed, CloudURL):
        raise InvalidArgumentError(
            "a session is refused: it has the credentials of a bucket, and this store has no bucket"
        )
    match parsed:
        case MemoryURL(name, prefix):
            from sessionbucket._async.buckets.memory import AsyncMemoryBucket  # noqa: PLC0415

            return AsyncMemoryBucket(name), prefix
        case FileURL(root, fsync, create):
            from sessionbucket._async.buckets.file import AsyncFileBucket  # noqa: PLC0415

            return AsyncFileBucket(root, fsync=fsync, create=create), ""
        case CloudURL() as cloud:
            return _open_cloud_bucket(cloud, session), cloud.prefix


def telemetry_of(chosen: Telemetry | bool) -> Telemetry | None:
    """The settings of telemetry, or None without any. Raises ``InvalidArgumentError``."""
    if chosen is False:
        return None
    from sessionbucket._core.telemetry import Telemetry  # noqa: PLC0415

    if chosen is True:
        return Telemetry()
    check_kind("telemetry", chosen, Telemetry)
    return chosen


def traced(bucket: AsyncBucket, telemetry: Telemetry | None) -> AsyncBucket:
    """The bucket with a span of each request, if there is telemetry."""
    if telemetry is None:
        return bucket
    from sessionbucket._async.wrappers.tracing import AsyncTracingBucket  # noqa: PLC0415

    return AsyncTracingBucket(bucket, telemetry)


def encrypted(
    bucket: AsyncBucket, prefix: str, keys: KeyProvider | None, *, accept_plain: bool
) -> AsyncBucket:
    """The bucket with encryption by these keys, if there are any. Raises ``NotSupportedError`` when cryptography is not installed."""
    if keys is None:
        if accept_plain:
            raise InvalidArgumentError("accept_plain is refused: it needs encryption, the keys of the store")
        return bucket
    from sessionbucket._async.wrappers.encrypting import AsyncEncryptingBucket  # noqa: PLC0415

    return AsyncEncryptingBucket(bucket, keys, prefix, accept_plain=accept_plain)


def _open_cloud_bucket(url: CloudURL, session: Any) -> AsyncBucket:
    engines = (DEFAULT_ENGINE, "obstore", "auto") if url.cloud == "s3" else ("obstore", "auto")
    engine = url.engine or engines[0]
    if engine not in engines:
        raise InvalidArgumentError(
            f"engine {engine!r} is unknown for {url.cloud}://; known engines: {', '.join(engines)}"
        )
    if engine == "auto" and url.cloud == "s3":
        engine = "obstore" if find_spec("obstore") and _obstore_supports(url) else DEFAULT_ENGINE
    if engine == DEFAULT_ENGINE:
        from sessionbucket._async.buckets.s3 import AsyncS3Bucket  # noqa: PLC0415

        return AsyncS3Bucket(url.bucket, session=session, **cast("S3Options", url.options))
    from sessionbucket._async.buckets.obstore import AsyncObstoreBucket  # noqa: PLC0415

    return AsyncObstoreBucket(
        url.bucket, cloud=url.cloud, session=session, **cast("ObstoreOptions", url.options)
    )


def _obstore_supports(url: CloudURL) -> bool:
    from sessionbucket._backends.obstore.options import UNSUPPORTED  # noqa: PLC0415

    return UNSUPPORTED.isdisjoint(url.options)
