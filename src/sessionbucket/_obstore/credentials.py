"""Where the credentials and the region of an S3 bucket come from: the places in which boto3 looks, in its order.

obstore finds those of the environment, of containers, Lambda and machines by itself, so that boto3 need not be loaded.
Profiles, single sign-on, credential processes and assumed roles stand in AWS's files, which boto3 reads for it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from sessionbucket._obstore.options import ObstoreOptions
from sessionbucket._s3.answers import NO_CREDENTIALS
from sessionbucket.errors import AccessDeniedError

_NATIVE = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


class Credentials(NamedTuple):
    """``provider`` is None where obstore is to look by itself; ``region`` is None where nothing names one."""

    provider: Any
    region: str | None


def find_credentials(options: ObstoreOptions, session: Any, location: str) -> Credentials:
    """Where the credentials come from.

    Raises ``AccessDeniedError`` where there are none, and ``InvalidArgumentError`` for a profile that does not exist.
    """
    region = options.get("region") or os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    if session is None and "profile" not in options:
        files = _has_files()
        keys = "AWS_ACCESS_KEY_ID" in os.environ and "AWS_SECRET_ACCESS_KEY" in os.environ
        if keys and (region or not files):
            return Credentials(None, region)
        if not (keys or files):
            _refuse_if_none(location)
            return Credentials(None, region)
    return _by_boto3(options, session, region, location)


def _has_files() -> bool:
    named = (
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        os.environ.get("AWS_CONFIG_FILE", "~/.aws/config"),
    )
    return any(Path(name).expanduser().exists() for name in named)


def _refuse_if_none(location: str) -> None:
    machine = os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true"
    if not machine and not any(name in os.environ for name in _NATIVE):
        raise AccessDeniedError(NO_CREDENTIALS, location=location)


def _by_boto3(options: ObstoreOptions, session: Any, region: str | None, location: str) -> Credentials:
    import boto3  # noqa: PLC0415 (slow to import)
    from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415

    from sessionbucket._s3.errors import translated  # noqa: PLC0415 (loads botocore)

    with translated(location):
        if session is None:
            session = boto3.Session(profile_name=options.get("profile"))
        if session.get_credentials() is None:
            raise AccessDeniedError(NO_CREDENTIALS, location=location)
        provider = Boto3CredentialProvider(session)
    return Credentials(provider, options.get("region") or provider.config.get("region") or region)
