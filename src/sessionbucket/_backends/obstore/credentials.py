"""The credentials and the region of an S3 bucket, from the places where boto3 finds them, in its order.

obstore itself finds those in the environment (Lambda's are there, too) and those of containers, so that boto3 is not loaded.
boto3 finds the others: those in AWS's files (profiles, single sign-on, processes, assumed roles), and the role of a
machine.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from sessionbucket._backends.endpoints import (
    configured_endpoint,
    environment_endpoint,
    has_configuration_files,
)
from sessionbucket._backends.obstore.options import ObstoreOptions
from sessionbucket._backends.service_errors import NO_CREDENTIALS
from sessionbucket.errors import AccessDeniedError

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_OF_A_CONTAINER = (
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
)


class Server(NamedTuple):
    """The endpoint and the region of a bucket, where something names them. No endpoint means AWS."""

    endpoint: str | None
    region: str | None


def find_server(options: ObstoreOptions, session: Any) -> Server:
    """The endpoint and the region that boto3 would use.

    Raises ``InvalidArgumentError`` for a profile that does not exist.
    """
    region = options.get("region") or os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    endpoint = options.get("endpoint_url")
    if session is None and "profile" not in options and not has_configuration_files():
        return Server(endpoint or environment_endpoint(), region)
    from sessionbucket._backends.s3.errors import translate, transport_errors  # noqa: PLC0415 (loads botocore)

    try:
        if session is None:
            from botocore.session import Session  # noqa: PLC0415 (slow to import)

            session = Session(profile=options.get("profile"))
        found = getattr(session, "_session", session)
        return Server(
            endpoint or configured_endpoint(found),
            options.get("region") or found.get_config_variable("region") or region,
        )
    except transport_errors() as error:
        raise translate(error, "s3://") from error


class Credentials(NamedTuple):
    """``provider`` is None when obstore finds the credentials itself. ``region`` is None when nothing names one."""

    provider: Any
    region: str | None


def find_credentials(options: ObstoreOptions, session: Any, location: str) -> Credentials:
    """Find the credentials.

    Raises ``AccessDeniedError`` when there are none, and ``InvalidArgumentError`` for a profile that does not exist.
    """
    region = options.get("region") or os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    if session is None and "profile" not in options and _obstore_finds_them(region):
        return Credentials(None, region)
    return _by_boto3(options, session, region, location)


def _obstore_finds_them(region: str | None) -> bool:
    """Whether obstore finds the same credentials as boto3, and the region is known without boto3."""
    files = has_configuration_files()
    if _are_set(*_KEYS):
        return bool(region) or not files
    return not files and any(_are_set(*names) for names in _OF_A_CONTAINER)


def _are_set(*names: str) -> bool:
    return all(os.environ.get(name) for name in names)


def _by_boto3(options: ObstoreOptions, session: Any, region: str | None, location: str) -> Credentials:
    import boto3  # noqa: PLC0415 (slow to import)
    from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415

    from sessionbucket._backends.s3.errors import translate, transport_errors  # noqa: PLC0415 (loads botocore)

    try:
        if session is None:
            session = boto3.Session(profile_name=options.get("profile"))
        if session.get_credentials() is None:
            raise AccessDeniedError(NO_CREDENTIALS, location=location)
        provider = Boto3CredentialProvider(session)
    except transport_errors() as error:
        raise translate(error, location) from error
    return Credentials(provider, options.get("region") or provider.config.get("region") or region)
