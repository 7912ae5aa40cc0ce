"""The options of buckets that obstore reaches: those of S3 where it is S3, and fewer on other clouds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, cast, get_args

from pydantic import Field, TypeAdapter

from sessionbucket._backends.s3 import requests
from sessionbucket._backends.s3.options import ConnectionOptions, S3Options, check_options, checked_by
from sessionbucket._core.store_url import Cloud
from sessionbucket.errors import InvalidArgumentError


class CloudOptions(ConnectionOptions, total=False):
    """The options of a bucket of Google Cloud Storage or a container of Azure. Credentials come from the environment."""

    account: Annotated[str, Field(min_length=1)]
    """Azure's storage account; else ``AZURE_STORAGE_ACCOUNT_NAME``."""


UNSUPPORTED = frozenset({"expected_bucket_owner"})
"""The options of S3 that obstore has nothing for."""
CLOUD_OPTION_NAMES = frozenset(CloudOptions.__annotations__)
_adapter = TypeAdapter(CloudOptions)


class ObstoreOptions(S3Options, CloudOptions, total=False):
    """The options of S3 where the bucket is on S3, and those of ``CloudOptions`` elsewhere."""


def check_obstore_options(
    options: Mapping[str, Any], cloud: Cloud, *, session: object = None
) -> ObstoreOptions:
    """The options of a bucket on that cloud, converted from text where they come from a URL.

    Raises ``InvalidArgumentError`` for an unknown or bad one, and for what obstore can't do.
    """
    if cloud not in get_args(Cloud):
        raise InvalidArgumentError(
            f"cloud {cloud!r} is refused: it must be one of {', '.join(get_args(Cloud))}"
        )
    if cloud == "s3":
        return _of_s3(check_options(options, session=session))
    if session is not None:
        raise InvalidArgumentError(f"a session is refused: it is of AWS, and the bucket of {cloud}://")
    names = CLOUD_OPTION_NAMES if cloud == "az" else CLOUD_OPTION_NAMES - {"account"}
    checked: ObstoreOptions = checked_by(_adapter, options, names, f"{cloud}://")
    return checked


def _of_s3(options: S3Options) -> ObstoreOptions:
    refused = UNSUPPORTED & options.keys()
    if refused:
        raise InvalidArgumentError(
            f"option {min(refused)!r} is refused: obstore cannot send it; leave out engine=obstore"
        )
    return cast("ObstoreOptions", options)


def location_of(bucket: str, cloud: Cloud, options: ObstoreOptions) -> str:
    """Where the bucket is; of S3 as the other engine says it, so that a session may come by one and go by the other."""
    endpoint = options.get("endpoint_url")
    if cloud == "s3":
        return requests.location(bucket, endpoint)
    account = account_of(options) if cloud == "az" else None
    place = f"{account}/{bucket}" if account else bucket
    return f"{endpoint}/{place}" if endpoint else f"{cloud}://{place}"


def account_of(options: ObstoreOptions) -> str | None:
    """The storage account of Azure that is asked for by option or environment."""
    return options.get("account") or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
