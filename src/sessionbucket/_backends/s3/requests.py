"""The parameters of S3 requests, and what their answers hold."""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Mapping
from datetime import UTC
from types import MappingProxyType
from typing import Any

from sessionbucket._backends.s3.options import ConnectionOptions, S3Options
from sessionbucket._core.objects import (
    Absent,
    Anything,
    Condition,
    ConditionalWrites,
    Match,
    ObjectInfo,
    ObjectPage,
)

PART_BYTES = 8 << 20
MAX_PARTS = 10_000
DELETE_BATCH = 1000
_LAST_CHARACTER = "\U0010ffff"


def endpoint_of(endpoint_url: str | None) -> str | None:
    """The server that is asked for by option or environment; None stands for AWS."""
    return endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def location(bucket: str, endpoint_url: str | None) -> str:
    """Where a bucket is: on AWS, or at another server's endpoint."""
    endpoint = endpoint_of(endpoint_url)
    if not endpoint or "amazonaws.com" in endpoint:
        return f"s3://{bucket}"
    return f"{endpoint.rstrip('/')}/{bucket}"


def conditional_writes(
    options: ConnectionOptions, location: str, *, trusted: str = "s3://"
) -> ConditionalWrites:
    """Whether the server's conditions are trusted: a cloud's own are, unless the caller asks to have them probed."""
    chosen = options.get("conditional_writes", "auto")
    if chosen == "auto":
        return "trusted" if location.startswith(trusted) else "probe"
    return chosen


def owner(options: S3Options) -> dict[str, str]:
    """What every request carries so that only the expected account answers it."""
    expected = options.get("expected_bucket_owner")
    return {"ExpectedBucketOwner": expected} if expected else {}


def write_parameters(options: S3Options, content_type: str) -> dict[str, Any]:
    """What a new object is written with."""
    parameters = {
        "ContentType": content_type,
        "ServerSideEncryption": options.get("sse"),
        "SSEKMSKeyId": options.get("sse_kms_key_id"),
        "StorageClass": options.get("storage_class"),
    }
    return {name: value for name, value in parameters.items() if value is not None}


def condition_parameters(condition: Condition) -> dict[str, str]:
    """The headers that carry a condition (RFC 9110, section 13.1)."""
    match condition:
        case Anything():
            return {}
        case Absent():
            return {"IfNoneMatch": "*"}
        case Match(version):
            return {"IfMatch": version}


def checksum(body: bytes) -> dict[str, str]:
    """A checksum that the server verifies, as a plain header that servers which do not know it leave alone."""
    return {"ChecksumCRC32": base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()}


def described(key: str, response: Mapping[str, Any]) -> ObjectInfo:
    """What the answer to a GET or HEAD tells of the object."""
    return ObjectInfo(
        key=key,
        size=response["ContentLength"],
        updated_at=response["LastModified"].astimezone(UTC),
        version=response.get("ETag"),
        content_type=response.get("ContentType"),
        metadata=MappingProxyType(dict(response.get("Metadata", {}))),
    )


def start_after(row: str, delimiter: str) -> dict[str, str]:
    """How to go on after a row. After a folder that means after every key in it, so it isn't listed again."""
    if not row:
        return {}
    return {"StartAfter": row + _LAST_CHARACTER if delimiter and row.endswith(delimiter) else row}


def listed(response: Mapping[str, Any], after: str) -> ObjectPage:
    """A page of ListObjectsV2."""
    objects = [
        ObjectInfo(row["Key"], row["Size"], row["LastModified"].astimezone(UTC), row.get("ETag"))
        for row in response.get("Contents", [])
    ]
    rows = [row["Prefix"] for row in response.get("CommonPrefixes", [])]
    folders = [row for row in rows if row.encode() > after.encode()]
    last = max([*(info.key for info in objects[-1:]), *rows[-1:]], key=str.encode, default="")
    return ObjectPage(objects, folders, (last or None) if response.get("IsTruncated") else None)


def part_size(size: int | None) -> int:
    """How large the parts of an upload must be, in bytes."""
    return max(PART_BYTES, -(-(size or 0) // MAX_PARTS))
