"""The options that every bucket behind a network has, and how options are checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict
from urllib.parse import urlsplit

from sessionbucket._core.objects import Capabilities, ConditionalWrites
from sessionbucket._core.retry import RetryConfig
from sessionbucket._core.store_url import check_option_name
from sessionbucket.errors import InvalidArgumentError

DEFAULT_CONNECT_TIMEOUT = 2.0
DEFAULT_READ_TIMEOUT = 6.0
DEFAULT_MAX_ATTEMPTS = 5
DEFAULT_RETRY_TIMEOUT = 12.0
DEFAULT_MAX_POOL_CONNECTIONS = 64


Check = Callable[[Any], Any]
"""Returns the value of an option, converted from the text in a URL if need be. Raises ``ValueError`` with the rule."""


class ConnectionOptions(TypedDict, total=False):
    """The options of every bucket behind a network. All are optional."""

    endpoint_url: str
    """The server's URL, unless it is the cloud itself. For S3 the default is ``AWS_ENDPOINT_URL_S3``,
    ``AWS_ENDPOINT_URL``, or AWS."""
    connect_timeout: float
    """Connect timeout in seconds; 2 by default."""
    read_timeout: float
    """Read timeout in seconds; 6 by default."""
    max_attempts: int
    """The most attempts of a request; 5 by default."""
    retry_timeout: float
    """Seconds after which no attempt starts; 12 by default. With the other defaults, a call of one request ends within 20
    seconds. A save, which may need to resolve its outcome, ends within 28."""
    conditional_writes: Literal["auto", "probe", "trusted", "off"]
    """``auto`` (the default) probes once whether a server other than the cloud's own enforces conditional writes,
    ``probe`` also probes the cloud's own, ``trusted`` relies on any server without a probe, and ``off`` writes
    unconditionally, with a warning."""
    max_pool_connections: int
    """The most open connections; 64 by default."""


def maybe_empty_text(value: Any) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError("it must be a text")  # noqa: TRY004 (one kind of error for all rules)
    return value


def text(value: Any) -> str:
    """Any text but the empty one."""
    if not isinstance(value, str) or not value:
        raise ValueError("it must be a text that is not empty")
    return value


def one_of(*choices: str) -> Check:
    """One of these texts."""

    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return str(value)

    return check


def _endpoint(value: Any) -> str:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
    except ValueError:  # its message quotes the URL
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must be a URL such as http://localhost:8333")
    if parts.username or parts.password:
        raise ValueError("it must not contain credentials; pass them by environment, profile or session")
    return str(value).rstrip("/")


def _seconds(value: Any) -> float:
    seconds = _number(value)
    if not 0 < seconds < math.inf:
        raise ValueError("it must be a number of seconds above 0")
    return seconds


def _seconds_or_0(value: Any) -> float:
    seconds = _number(value)
    if not 0 <= seconds < math.inf:
        raise ValueError("it must be a number of seconds, 0 or more")
    return seconds


def _count(value: Any) -> int:
    count = _number(value)
    if not 1 <= count < math.inf or count != int(count):
        raise ValueError("it must be an integer of at least 1")
    return int(count)


def _number(value: Any) -> float:
    """The number, or NaN for a value that is none."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, OverflowError):
            return math.nan
    return math.nan


CONNECTION_CHECKS: Mapping[str, Check] = {
    "endpoint_url": _endpoint,
    "connect_timeout": _seconds,
    "read_timeout": _seconds,
    "max_attempts": _count,
    "retry_timeout": _seconds_or_0,
    "conditional_writes": one_of("auto", "probe", "trusted", "off"),
    "max_pool_connections": _count,
}
"""The options of ``ConnectionOptions``, each with its check. Plain functions: they cost a start less than pydantic."""


def check_options(options: Mapping[str, Any], checks: Mapping[str, Check], where: str) -> Any:
    """The checked options. Raises ``InvalidArgumentError`` for an unknown or bad one."""
    checked: dict[str, Any] = {}
    for name, value in options.items():
        check_option_name(name, checks.keys(), where)
        try:
            checked[name] = checks[name](value)
        except ValueError as error:
            problem = str(error)
        else:
            continue
        raise InvalidArgumentError(f"option {name!r} is refused: {problem}")
    return checked


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
