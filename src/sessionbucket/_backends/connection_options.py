"""The options that every bucket behind a network has, and how options are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from sessionbucket._core.objects import Capabilities, ConditionalWrites
from sessionbucket._core.retry import RetryConfig
from sessionbucket._core.store_url import check_option_name
from sessionbucket.errors import InvalidArgumentError

DEFAULT_CONNECT_TIMEOUT = 2.0
DEFAULT_READ_TIMEOUT = 6.0
DEFAULT_MAX_ATTEMPTS = 5
DEFAULT_RETRY_TIMEOUT = 12.0
DEFAULT_MAX_POOL_CONNECTIONS = 64


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must be a URL such as http://localhost:8333")
    if parts.username or parts.password:
        raise ValueError("it must not contain credentials; pass them by environment, profile or session")
    return url.rstrip("/")


class ConnectionOptions(TypedDict, total=False):
    """The options of every bucket behind a network. All are optional."""

    __pydantic_config__ = ConfigDict(extra="forbid", hide_input_in_errors=True)  # type: ignore[misc]

    endpoint_url: Annotated[str, AfterValidator(_endpoint)]
    """The server's URL, unless it is the cloud itself. For S3 the default is ``AWS_ENDPOINT_URL_S3``,
    ``AWS_ENDPOINT_URL``, or AWS."""
    connect_timeout: Annotated[float, Field(gt=0)]
    """Connect timeout in seconds; 2 by default."""
    read_timeout: Annotated[float, Field(gt=0)]
    """Read timeout in seconds; 6 by default."""
    max_attempts: Annotated[int, Field(ge=1)]
    """The most attempts of a request; 5 by default."""
    retry_timeout: Annotated[float, Field(ge=0)]
    """Seconds after which no attempt starts; 12 by default. With the other defaults, a call of one request ends within 20
    seconds. A save, which may need to resolve its outcome, ends within 28."""
    conditional_writes: Literal["auto", "probe", "trusted", "off"]
    """``auto`` (the default) probes once whether a server other than the cloud's own enforces conditional writes,
    ``probe`` also probes the cloud's own, ``trusted`` relies on any server without a probe, and ``off`` writes
    unconditionally, with a warning."""
    max_pool_connections: Annotated[int, Field(ge=1)]
    """The most open connections; 64 by default."""


def check_options(
    adapter: TypeAdapter[Any], options: Mapping[str, Any], known: frozenset[str], where: str
) -> Any:
    """The options as the adapter's type. Raises ``InvalidArgumentError`` for an unknown or bad one."""
    for name in options:
        check_option_name(name, known, where)
    try:
        return adapter.validate_python(dict(options))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidArgumentError(f"option {first['loc'][0]!r} is refused: {first['msg']}") from None


def check_bucket_name(bucket: str) -> str:
    """The name. Raises ``InvalidArgumentError`` for a text that is no bucket name."""
    if not isinstance(bucket, str) or not bucket or "/" in bucket:
        raise InvalidArgumentError(f"bucket {bucket!r} is refused: it must be the name of a bucket")
    if bucket.endswith("--x-s3"):
        raise InvalidArgumentError(
            f"bucket {bucket!r} is refused: directory buckets (S3 Express) list their keys in no order; use a general purpose bucket"
        )
    return bucket


def network_capabilities(
    options: ConnectionOptions, *, is_own_cloud: bool, has_conditional_deletes: bool
) -> Capabilities:
    """The capabilities of a bucket with these options. ``is_own_cloud`` says that no other server is in its place."""
    chosen = options.get("conditional_writes", "auto")
    default: ConditionalWrites = "trusted" if is_own_cloud else "probe"
    conditional_writes = default if chosen == "auto" else chosen
    retry = RetryConfig(
        attempts=options.get("max_attempts", DEFAULT_MAX_ATTEMPTS),
        seconds=options.get("retry_timeout", DEFAULT_RETRY_TIMEOUT),
    )
    return Capabilities(
        retry=retry,
        conditional_writes=conditional_writes,
        conditional_deletes=conditional_writes if has_conditional_deletes else "off",
        presigns=True,
    )
