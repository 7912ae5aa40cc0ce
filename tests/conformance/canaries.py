"""A search for a text in everything that a bucket keeps under a location: each version, its metadata, and unfinished uploads."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

from conformance.conftest import Opener
from conformance.locations import Location

CANARY = "s3cr3t-canary-7f3a"


def leaks(opener: Opener, canary: str = CANARY) -> list[str]:
    """The keys under which the text is still kept, read without our code where there is a server."""
    raw = canary.encode()
    found = _versions_in_memory(opener) if opener.location.raw is None else _versions(opener.location)
    return [key for key, body in found if raw in body or raw in _unpacked(body)]


def _unpacked(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return b""


def rows_of(location: Location) -> list[dict[str, Any]]:
    """Every version and delete marker under the location, and every unfinished upload."""
    client, prefix = location.raw, location.key("")
    rows: list[dict[str, Any]] = []
    for page in client.get_paginator("list_object_versions").paginate(Bucket=location.bucket, Prefix=prefix):
        rows += [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    uploads = client.list_multipart_uploads(Bucket=location.bucket, Prefix=prefix).get("Uploads", [])
    return [*rows, *uploads]


def _versions(location: Location) -> Iterator[tuple[str, bytes]]:
    for row in rows_of(location):
        if "UploadId" in row:
            yield row["Key"], CANARY.encode()  # the bytes of its parts cannot be read, so each upload counts
        elif "Size" in row:
            response = location.raw.get_object(
                Bucket=location.bucket, Key=row["Key"], VersionId=row["VersionId"]
            )
            with response["Body"] as body:
                yield row["Key"], body.read()
            yield row["Key"], repr(response["Metadata"]).encode()


def _versions_in_memory(opener: Opener) -> Iterator[tuple[str, bytes]]:
    bucket = opener.bucket()
    for row in bucket.list_versions("").versions:
        found = bucket.get_version(row.key, row.version_id, max_bytes=1 << 30)
        if found is not None:
            yield row.key, found.body
            yield row.key, repr(found.info.metadata).encode()


def left(opener: Opener) -> list[str]:
    """The keys of all versions, delete markers and uploads under the location."""
    if opener.location.raw is None:
        return [row.key for row in opener.bucket().list_versions("").versions]
    return [row["Key"] for row in rows_of(opener.location)]
