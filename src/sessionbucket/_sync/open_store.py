# Generated from sessionbucket/_async/open_store.py by scripts/generate_sync.py: do not edit.
"""Opening a session store at a URL."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack, overload

from sessionbucket._core.keyring import KeyProvider
from sessionbucket._core.objects import DEFAULT_MAX_BYTES
from sessionbucket._sync.base_store import SessionT
from sessionbucket._sync.open_bucket import encrypted, open_bucket, telemetry_of, traced
from sessionbucket._sync.store import SessionStore, default_model

if TYPE_CHECKING:
    from sessionbucket._backends.store_options import StoreOptions
    from sessionbucket._codec.compression import Compression
    from sessionbucket._core.summary import SessionSummary, SummaryMode
    from sessionbucket._core.telemetry import Telemetry
    from sessionbucket.models.session import SessionData


@overload
def open_store(
    url: str | os.PathLike[str] | None = None,
    *,
    max_bytes: int = DEFAULT_MAX_BYTES,
    drop_unknown_members: bool = False,
    encryption: KeyProvider | None = None,
    accept_plain: bool = False,
    telemetry: Telemetry | bool = False,
    summarize: Callable[[SessionData], SessionSummary] | None = None,
    summaries: SummaryMode = "full",
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
    encryption: KeyProvider | None = None,
    accept_plain: bool = False,
    telemetry: Telemetry | bool = False,
    summarize: Callable[[SessionT], SessionSummary] | None = None,
    summaries: SummaryMode = "full",
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
    encryption: KeyProvider | None = None,
    accept_plain: bool = False,
    telemetry: Telemetry | bool = False,
    summarize: Callable[[SessionT], SessionSummary] | None = None,
    summaries: SummaryMode = "full",
    compression: Compression | None = None,
    session: Any = None,
    **options: Unpack[StoreOptions],
) -> SessionStore[SessionT]:
    """Open the store at a URL: ``s3://bucket/prefix?option=value``, ``file:///folder`` or ``memory://name``. With obstore also
    ``gs://bucket/prefix`` (Google Cloud Storage) and ``az://container/prefix`` (Azure). A ``pathlib.Path`` is a folder.
    All stores at one ``memory://name`` are one store, of this process and for its duration; ``memory://`` is a new, empty one.

    Without a URL, the environment variable ``SESSIONBUCKET_URL`` names it. Nothing is connected before the first use.
    ``model`` is ``Conversation`` or any pydantic model with an ``id: str`` (``SessionData`` by default). ``max_bytes`` is the largest size of a
    session or a part. ``drop_unknown_members`` allows saves that drop members which the model ignores. ``summarize`` and
    ``summaries`` are those of ``SessionStore``. ``compression="zstd"`` compresses new versions of sessions and parts in a bucket;
    ``SessionStore`` describes it.

    ``encryption`` has the keys of an encrypted store, a ``Keyring`` for instance: every object is encrypted before it leaves the process.
    With ``accept_plain``, objects that are not encrypted are read, too, as long as ``reencrypt_store`` has not encrypted them all.

    With ``telemetry``, the store reports its operations and requests to OpenTelemetry: ``True``, or a ``Telemetry`` with settings.

    Each option is a parameter of the URL, or an argument. Those of S3 are the options of ``S3Options``, and ``engine``:
    ``boto3``/``boto3`` (the default), ``obstore``, or ``auto``, which is obstore when it is installed and supports all the
    options. The other clouds have the options of ``CloudOptions``, and a folder has ``fsync`` and ``create``. ``session`` is a
    boto3 or boto3 session with the credentials.

    Raises ``InvalidArgumentError`` for a URL or option that is unknown, bad or contradicts another, and ``NotSupportedError``
    when an extra is not installed.
    """
    bucket, prefix = open_bucket(url, session, options)
    reports_to = telemetry_of(telemetry)
    bucket = encrypted(traced(bucket, reports_to), prefix, encryption, accept_plain=accept_plain)
    chosen = default_model() if model is None else model
    make: Callable[..., SessionStore[SessionT]] = SessionStore
    if reports_to is not None:
        from sessionbucket._sync.traced_store import TracedSessionStore  # noqa: PLC0415

        make = partial(TracedSessionStore[SessionT], telemetry=reports_to)
    return make(
        bucket,
        prefix,
        model=chosen,
        max_bytes=max_bytes,
        drop_unknown_members=drop_unknown_members,
        summarize=summarize,
        summaries=summaries,
        compression=compression,
    )
