# Generated from sessionbucket/_async/open_store.py by scripts/generate_sync.py: do not edit.
"""Opening a session store at a URL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Unpack, overload

from sessionbucket._core.objects import DEFAULT_MAX_BYTES
from sessionbucket._sync.base_store import SessionT
from sessionbucket._sync.open_bucket import open_bucket
from sessionbucket._sync.store import SessionStore, default_model

if TYPE_CHECKING:
    from sessionbucket._backends.store_options import StoreOptions
    from sessionbucket._codec.compression import Compression
    from sessionbucket.models.session import SessionData


@overload
def open_store(
    url: str | os.PathLike[str] | None = None,
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
    drop_unknown_members: bool = False,
    compression: Compression | None = None,
    session: Any = None,
    **options: Unpack[StoreOptions],
) -> SessionStore[SessionData]: ...


@overload
def open_store(
    url: str | os.PathLike[str] | None = None,
    *,
    model: type[SessionT],
    max_bytes: int = DEFAULT_MAX_BYTES,
    drop_unknown_members: bool = False,
    compression: Compression | None = None,
    session: Any = None,
    **options: Unpack[StoreOptions],
) -> SessionStore[SessionT]: ...


def open_store(
    url: str | os.PathLike[str] | None = None,
    *,
    model: type[SessionT] | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    drop_unknown_members: bool = False,
    compression: Compression | None = None,
    session: Any = None,
    **options: Unpack[StoreOptions],
) -> SessionStore[SessionT]:
    """Open the store at a URL: ``s3://bucket/prefix?option=value``, ``file:///folder`` or ``memory://name``. With obstore also
    ``gs://bucket/prefix`` (Google Cloud Storage) and ``az://container/prefix`` (Azure). A ``pathlib.Path`` is a folder.
    All stores at one ``memory://name`` are one store, of this process and for its duration; ``memory://`` is a new, empty one.

    Without a URL, the environment variable ``SESSIONBUCKET_URL`` names it. Nothing is connected before the first use.
    ``model`` is ``Conversation`` or any pydantic model with an ``id: str`` (``SessionData`` by default). ``max_bytes`` is the largest size of a
    session or a part. ``drop_unknown_members`` allows saves that drop members which the model ignores.
    ``compression="zstd"`` compresses new versions of sessions and parts in a bucket; ``SessionStore`` describes it.

    Each option is a parameter of the URL, or an argument. Those of S3 are the options of ``S3Options``, and ``engine``:
    ``boto3``/``boto3`` (the default), ``obstore``, or ``auto``, which is obstore when it is installed and supports all the
    options. The other clouds have the options of ``CloudOptions``, and a folder has ``fsync`` and ``create``. ``session`` is a
    boto3 or boto3 session with the credentials.

    Raises ``InvalidArgumentError`` for a URL or option that is unknown, bad or contradicts another, and ``NotSupportedError``
    when an extra is not installed.
    """
    bucket, prefix = open_bucket(url, session, options)
    chosen = default_model() if model is None else model
    return SessionStore(
        bucket,
        prefix,
        model=chosen,
        max_bytes=max_bytes,
        drop_unknown_members=drop_unknown_members,
        compression=compression,
    )
