"""The S3 endpoint that a client uses, and the location of a bucket behind it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sessionbucket.errors import InvalidArgumentError

_ENVIRONMENT = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_FILES = (
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    ("AWS_CONFIG_FILE", "~/.aws/config"),
)
_PORTS = {"http": 80, "https": 443}

_SUFFIXES = {
    "aws": ("amazonaws.com", "api.aws"),
    "aws-cn": ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    "aws-eusc": ("amazonaws.eu", "api.amazonwebservices.eu"),
    "aws-iso": ("c2s.ic.gov", "api.aws.ic.gov"),
    "aws-iso-b": ("sc2s.sgov.gov", "api.aws.scloud"),
    "aws-iso-e": ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    "aws-iso-f": ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
}
"""The DNS suffixes of AWS's partitions, without and with dual stack. GovCloud has those of ``aws``."""

_REGIONS = {
    "cn-": "aws-cn",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}
"""The partitions of regions by their prefixes; all others are in ``aws``."""

_REGION = r"[a-z]{2,4}(?:-[a-z]+)+-\d+"
_S3_HOST = re.compile(
    r"(?:[^/]+\.)?"  # a bucket, an access point and its account, or a VPC endpoint
    r"(?:s3(?:-(?:accelerate|accesspoint|external-1|fips|global|object-lambda|outposts))*"
    r"|s3express(?:-fips)?-[a-z0-9]+-az\d+)"
    rf"(?:[.-](?:{_REGION}|dualstack|global))*"
    r"(?:\.vpce)?"
)


def has_configuration_files() -> bool:
    """Whether AWS's configuration files exist, which only botocore reads."""
    return any(Path(os.environ.get(name, usual)).expanduser().is_file() for name, usual in _FILES)


def environment_endpoint() -> str | None:
    """The endpoint of S3 in the environment. None means AWS."""
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    return next((os.environ[name] for name in _ENVIRONMENT if os.environ.get(name)), None)


def configured_endpoint(session: Any) -> str | None:
    """The endpoint that a client of this botocore session uses: of the environment, a profile, or its ``services`` section.

    None means AWS.
    """
    from botocore.configprovider import ConfiguredEndpointProvider  # noqa: PLC0415 (loads botocore)

    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    provider = ConfiguredEndpointProvider(
        full_config=session.full_config, scoped_config=session.get_scoped_config(), client_name="s3"
    )
    endpoint: str | None = provider.provide()
    return endpoint


def check_endpoint(client: Any, endpoint: str | None) -> None:
    """Raises ``InvalidArgumentError`` for a client of the caller's session that uses another endpoint than its configuration.

    Such a session would make another server count as AWS.
    """
    used = str(client.meta.endpoint_url)
    expected = endpoint or used
    if urlsplit(used).netloc != urlsplit(expected).netloc or (
        endpoint is None and partition_of(used, None) is None
    ):
        raise InvalidArgumentError(
            "the session's client uses another endpoint than the session's configuration; pass it as endpoint_url, too"
        )


def partition_of(endpoint: str | None, region: str | None) -> str | None:
    """The AWS partition of an endpoint, or None when the host is none of S3's own.

    Its own hosts are those of S3's documentation: regional, dual-stack, FIPS, accelerated, of an access point, and of a VPC endpoint.
    """
    if endpoint is None:
        return _partition_of_region(region or "")
    host = urlsplit(endpoint).hostname or ""
    for partition, suffixes in _SUFFIXES.items():
        for suffix in suffixes:
            found = (
                _S3_HOST.fullmatch(host.removesuffix(f".{suffix}")) if host.endswith(f".{suffix}") else None
            )
            if found:
                named = re.search(_REGION, host)
                return _partition_of_region(named[0]) if named and partition == "aws" else partition
    return None


def _partition_of_region(region: str) -> str:
    return next((name for prefix, name in _REGIONS.items() if region.startswith(prefix)), "aws")


def location_of(bucket: str, endpoint: str | None, partition: str | None) -> str:
    """The location of a bucket in a partition of AWS, or at the endpoint of another server.

    Two spellings of one endpoint give one location. Two partitions, or two servers, never do.
    """
    if partition is not None:
        return f"s3://{bucket}" if partition == "aws" else f"arn:{partition}:s3:::{bucket}"
    parts = urlsplit(endpoint or "")
    host = parts.hostname or ""
    if host == "localhost":
        host = "127.0.0.1"
    if ":" in host:
        host = f"[{host}]"
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}/{bucket}"
