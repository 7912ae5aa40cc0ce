"""The options of an S3 bucket: keywords of its constructor, and parameters of a store's URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from sessionbucket._backends.connection_options import (
    CONNECTION_CHECKS,
    Check,
    ConnectionOptions,
    check_options,
    maybe_empty_text,
    one_of,
    text,
)
from sessionbucket.errors import InvalidArgumentError

_MOST_TAGS = 10
_LONGEST_TAG_NAME = 128
_LONGEST_TAG_VALUE = 256


def _tagging(value: Any) -> str:
    try:
        tags = parse_qsl(maybe_empty_text(value), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        tags = []
    names = [name for name, _ in tags]
    lengths_fit = all(
        1 <= len(name) <= _LONGEST_TAG_NAME and len(value) <= _LONGEST_TAG_VALUE for name, value in tags
    )
    if not 1 <= len(tags) <= _MOST_TAGS or len(set(names)) < len(names) or not lengths_fit:
        raise ValueError(
            "it must be 1 to 10 tags such as team=research&env=prod, with different names of 1 to 128 characters and values of at "
            "most 256"
        )
    return urlencode(tags)


class S3Options(ConnectionOptions, total=False):
    """The options of an S3 bucket. All are optional.

    Credentials are no option. They come from the places where boto3 finds them (environment, profile, role), or from a
    session or client of your own.
    """

    region: str
    """The bucket's region; by default the one that boto3 finds."""
    profile: str
    """A profile of the AWS configuration files."""
    addressing_style: Literal["auto", "path", "virtual"]
    """Whether the bucket's name is in the path or the host of a URL; ``auto`` leaves it to boto3."""
    sse: Literal["AES256", "aws:kms", "aws:kms:dsse"]
    """Server-side encryption of new objects; by default the bucket's."""
    sse_kms_key_id: str
    """The KMS key, with ``sse=aws:kms``; by default the account's default key."""
    expected_bucket_owner: str
    """The account id, 12 digits, that must own the bucket; S3 refuses requests otherwise."""
    storage_class: str
    """The storage class of new objects, ``STANDARD_IA`` for instance."""
    tagging: str
    """The tags of new objects, ``team=research&env=prod`` for instance: at most 10, URL-encoded, for costs and lifecycle rules. The
    credentials need ``s3:PutObjectTagging``."""


def _account(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d{12}", value, re.ASCII):
        raise ValueError("it must be an account id of 12 digits")
    return value


S3_CHECKS: Mapping[str, Check] = {
    **CONNECTION_CHECKS,
    "region": maybe_empty_text,
    "profile": maybe_empty_text,
    "addressing_style": one_of("auto", "path", "virtual"),
    "sse": one_of("AES256", "aws:kms", "aws:kms:dsse"),
    "sse_kms_key_id": text,
    "expected_bucket_owner": _account,
    "storage_class": text,
    "tagging": _tagging,
}
"""The options of ``S3Options``, each with its check."""
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


def check_s3_options(
    options: Mapping[str, Any], *, session: object = None, client: object = None
) -> S3Options:
    """The options, converted from the texts of a URL if need be.

    Raises ``InvalidArgumentError`` for an unknown or bad one, and for two that contradict each other.
    """
    checked: S3Options = check_options(options, S3_CHECKS, "S3")
    if "sse_kms_key_id" in checked and not checked.get("sse", "").startswith("aws:kms"):
        raise InvalidArgumentError("options contradict each other: sse_kms_key_id needs sse=aws:kms")
    if client is not None and session is not None:
        raise InvalidArgumentError(
            "options contradict each other: pass a session or a ready client, not both"
        )
    of_client = sorted(_CLIENT_OPTIONS & set(checked))
    if client is not None and of_client:
        raise InvalidArgumentError(
            f"options contradict each other: a ready client already has its {of_client[0]}; set it there"
        )
    if session is not None and "profile" in checked:
        raise InvalidArgumentError("options contradict each other: a session already has its profile")
    return checked


def check_callers_own(session: object, client: object, *, is_async: bool) -> None:
    """Raises ``InvalidArgumentError`` for a session or client that is not one of boto3, or with ``is_async`` of aioboto3."""
    library = "aioboto3" if is_async else "boto3"
    if client is not None and not _is_client(client, is_async):
        raise InvalidArgumentError(
            f"client is refused: it must be an S3 client of {library}, as session.client('s3') makes it"
        )
    if session is not None and not _is_session(session, is_async):
        raise InvalidArgumentError(f"session is refused: it must be a session of {library}")


def _is_client(client: object, is_async: bool) -> bool:
    """Whether it is a client of S3, for this side. A resource is none."""
    return (
        callable(getattr(client, "list_objects_v2", None))
        and hasattr(getattr(client, "meta", None), "endpoint_url")
        and _is_async_function(getattr(client, "close", None)) == is_async
    )


def _is_session(session: object, is_async: bool) -> bool:
    """Whether it is a session of boto3 or botocore, or of their async counterparts."""
    found = getattr(session, "_session", session)
    return (
        callable(getattr(found, "get_config_variable", None))
        and _is_async_function(getattr(found, "get_credentials", None)) == is_async
    )


def _is_async_function(function: object) -> bool:
    from inspect import iscoroutinefunction  # noqa: PLC0415 (a store without a client of the caller needs none)

    return iscoroutinefunction(function)
