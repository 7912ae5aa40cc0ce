"""The options of obstore buckets: those of S3 for S3, and fewer for other clouds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast, get_args

from sessionbucket._backends.connection_options import (
    CONNECTION_CHECKS,
    Check,
    ConnectionOptions,
    check_options,
    text,
)
from sessionbucket._backends.s3.options import S3Options, check_callers_own, check_s3_options
from sessionbucket._core.store_url import Cloud
from sessionbucket.errors import InvalidArgumentError


class CloudOptions(ConnectionOptions, total=False):
    """The options of a Google Cloud Storage bucket or an Azure container. Credentials come from the environment."""

    account: str
    """Azure's storage account; by default ``AZURE_STORAGE_ACCOUNT_NAME``."""


UNSUPPORTED = frozenset({"expected_bucket_owner"})
"""The options of S3 that obstore does not support."""
AZURE_CHECKS: Mapping[str, Check] = {**CONNECTION_CHECKS, "account": text}
"""The options of ``CloudOptions``, each with its check."""


class ObstoreOptions(S3Options, CloudOptions, total=False):
    """The options of ``S3Options`` for a bucket on S3, and those of ``CloudOptions`` for other clouds."""


def check_obstore_options(
    options: Mapping[str, Any], cloud: Cloud, *, session: object = None
) -> ObstoreOptions:
    """The options of a bucket on this cloud, converted from the texts of a URL if need be.

    Raises ``InvalidArgumentError`` for an unknown or bad one, and for one that obstore does not support.
    """
    if cloud not in get_args(Cloud):
        raise InvalidArgumentError(
            f"cloud {cloud!r} is refused: it must be one of {', '.join(get_args(Cloud))}"
        )
    if cloud == "s3":
        check_callers_own(session, None, is_async=False)
        return _of_s3(check_s3_options(options, session=session))
    if session is not None:
        raise InvalidArgumentError(f"a session is refused: it belongs to AWS, and the bucket to {cloud}://")
    checks = AZURE_CHECKS if cloud == "az" else CONNECTION_CHECKS
    checked: ObstoreOptions = check_options(options, checks, f"{cloud}://")
    return checked


def _of_s3(options: S3Options) -> ObstoreOptions:
    refused = UNSUPPORTED & options.keys()
    if refused:
        raise InvalidArgumentError(
            f"option {min(refused)!r} is refused: obstore cannot send it; leave out engine=obstore"
        )
    return cast("ObstoreOptions", options)


def location_in_cloud(bucket: str, cloud: Cloud, options: ObstoreOptions) -> str:
    """The location of a bucket on Google Cloud Storage or Azure."""
    endpoint = options.get("endpoint_url")
    account = account_of(options) if cloud == "az" else None
    place = f"{account}/{bucket}" if account else bucket
    return f"{endpoint}/{place}" if endpoint else f"{cloud}://{place}"


def account_of(options: ObstoreOptions) -> str | None:
    """The storage account of Azure in the option or the environment."""
    return options.get("account") or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
