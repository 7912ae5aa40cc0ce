"""The options of an S3 bucket: as keywords of its constructor, and as parameters of a store's URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from sessionbucket._core.retry import Patience
from sessionbucket._core.store_url import check_name
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
        raise ValueError("it may not hold credentials; give them by environment, profile or session")
    return url.rstrip("/")


class ConnectionOptions(TypedDict, total=False):
    """The options of every bucket behind a network; all may be left out."""

    __pydantic_config__ = ConfigDict(extra="forbid", hide_input_in_errors=True)  # type: ignore[misc]

    endpoint_url: Annotated[str, AfterValidator(_endpoint)]
    """The server, for all that is not the cloud itself; of S3 else ``AWS_ENDPOINT_URL_S3``, ``AWS_ENDPOINT_URL``, or AWS."""
    connect_timeout: Annotated[float, Field(gt=0)]
    """Seconds until a connection must stand; 2 by default."""
    read_timeout: Annotated[float, Field(gt=0)]
    """Seconds of silence after which a request counts as lost; 6 by default."""
    max_attempts: Annotated[int, Field(ge=1)]
    """How often a request is tried in all; 5 by default."""
    retry_timeout: Annotated[float, Field(ge=0)]
    """Seconds after which no try is begun; 12 by default. With the other defaults a call of one request ends within 20
    seconds and a save, which may have to look what became of it, within 28."""
    conditional_writes: Literal["auto", "probe", "off"]
    """``auto`` (the default) tries out once whether a server other than the cloud's own keeps the conditions of saves,
    ``probe`` does so with the cloud's own too, ``off`` saves unconditionally, with a warning."""
    max_pool_connections: Annotated[int, Field(ge=1)]
    """How many connections are kept open at most; 64 by default."""


class S3Options(ConnectionOptions, total=False):
    """Every option of an S3 bucket; all may be left out.

    Credentials are no option: they come from where boto3 looks (environment, profile, role), or with a session or
    client of one's own.
    """

    region: str
    """The bucket's region; else where boto3 finds it."""
    profile: str
    """A profile of the AWS configuration files."""
    addressing_style: Literal["auto", "path", "virtual"]
    """How the bucket's name goes into the URL; ``auto`` as boto3 decides."""
    sse: Literal["AES256", "aws:kms", "aws:kms:dsse"]
    """Server-side encryption of what is written; else the bucket's default."""
    sse_kms_key_id: Annotated[str, Field(min_length=1)]
    """The KMS key, with ``sse=aws:kms``; else the account's default key."""
    expected_bucket_owner: Annotated[str, Field(pattern=r"^\d{12}$")]
    """The account, of 12 digits, that must own the bucket for any request to be done."""
    storage_class: Annotated[str, Field(min_length=1)]
    """The storage class of what is written, ``STANDARD_IA`` for instance."""


OPTION_NAMES = frozenset(S3Options.__annotations__)
_CLIENT_OPTIONS = frozenset(
    {
        "endpoint_url",
        "region",
        "profile",
        "addressing_style",
        "connect_timeout",
        "read_timeout",
        "max_pool_connections",
    }
)
_adapter = TypeAdapter(S3Options)


def check_options(options: Mapping[str, Any], *, session: object = None, client: object = None) -> S3Options:
    """The options, converted from text where they come from a URL.

    Raises ``InvalidArgumentError`` for an unknown or bad one, and for two that contradict each other.
    """
    checked: S3Options = checked_by(_adapter, options, OPTION_NAMES, "S3")
    if "sse_kms_key_id" in checked and not checked.get("sse", "").startswith("aws:kms"):
        raise InvalidArgumentError("options contradict each other: sse_kms_key_id needs sse=aws:kms")
    if client is not None and session is not None:
        raise InvalidArgumentError(
            "options contradict each other: give a session or a ready client, not both"
        )
    of_client = sorted(_CLIENT_OPTIONS & set(checked))
    if client is not None and of_client:
        raise InvalidArgumentError(
            f"options contradict each other: a ready client already has its {of_client[0]}; set it there"
        )
    if session is not None and "profile" in checked:
        raise InvalidArgumentError("options contradict each other: a session already has its profile")
    return checked


def checked_by(
    adapter: TypeAdapter[Any], options: Mapping[str, Any], names: frozenset[str], where: str
) -> Any:
    """The options as the adapter's type has them. Raises ``InvalidArgumentError`` for an unknown or bad one."""
    for name in options:
        check_name(name, names, where)
    try:
        return adapter.validate_python(dict(options))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidArgumentError(f"option {first['loc'][0]!r} is refused: {first['msg']}") from None


def patience_of(options: ConnectionOptions) -> Patience:
    """How often, and for how long, requests are repeated."""
    return Patience(
        attempts=options.get("max_attempts", DEFAULT_MAX_ATTEMPTS),
        seconds=options.get("retry_timeout", DEFAULT_RETRY_TIMEOUT),
    )


def client_arguments(options: S3Options) -> dict[str, Any]:
    """The arguments of ``session.client("s3", …)`` but for its ``config``."""
    arguments = {"endpoint_url": options.get("endpoint_url"), "region_name": options.get("region")}
    return {name: value for name, value in arguments.items() if value is not None}


def client_config(options: S3Options) -> dict[str, Any]:
    """The arguments of botocore's ``Config``."""
    return {
        "connect_timeout": options.get("connect_timeout", DEFAULT_CONNECT_TIMEOUT),
        "read_timeout": options.get("read_timeout", DEFAULT_READ_TIMEOUT),
        # The store repeats requests itself, since it has to know which try of a save was answered.
        "retries": {"mode": "standard", "total_max_attempts": 1},
        "max_pool_connections": options.get("max_pool_connections", DEFAULT_MAX_POOL_CONNECTIONS),
        "s3": {"addressing_style": options.get("addressing_style", "auto")},
        "user_agent_extra": "sessionbucket",
    }
