"""The parameters of S3 requests, and the contents of their responses."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, NoReturn
from urllib.parse import quote

from sessionbucket._backends.s3.options import S3Options
from sessionbucket._backends.service_errors import not_from_server
from sessionbucket._core.body_checksum import split_bucket_checksum
from sessionbucket._core.objects import (
    Condition,
    IfAbsent,
    IfMatch,
    Kept,
    ObjectInfo,
    ObjectPage,
    ObjectVersion,
    VersionPage,
    content_encoding,
)

PART_BYTES = 8 << 20
MAX_PARTS = 10_000
_UNREADABLE = (KeyError, AttributeError, ValueError, OverflowError)
_LAST_CHARACTER = "\U0010ffff"


def common_parameters(bucket: str, options: S3Options) -> dict[str, str]:
    """The parameters of every request."""
    owner = options.get("expected_bucket_owner")
    return {"Bucket": bucket} | ({"ExpectedBucketOwner": owner} if owner else {})


def source_owner(common: Mapping[str, str]) -> dict[str, str]:
    """The parameter of a copy that corresponds to the expected owner in the parameters of every request."""
    owner = common.get("ExpectedBucketOwner")
    return {"ExpectedSourceBucketOwner": owner} if owner else {}


def range_parameter(first: int | None) -> dict[str, str]:
    """The header to get the first bytes alone (RFC 9110, section 14.2)."""
    return {"Range": f"bytes=0-{first - 1}"} if first else {}


def write_parameters(options: S3Options) -> dict[str, str]:
    """The parameters of every request that creates an object."""
    parameters = {
        "ServerSideEncryption": options.get("sse"),
        "SSEKMSKeyId": options.get("sse_kms_key_id"),
        "StorageClass": options.get("storage_class"),
        "Tagging": options.get("tagging"),
    }
    return {name: value for name, value in parameters.items() if value is not None}


def copy_parameters(write_parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a copy. Without the directive, the copy has the tags of its source."""
    directive = {"TaggingDirective": "REPLACE"} if "Tagging" in write_parameters else {}
    return {**write_parameters, **directive}


def condition_parameters(condition: Condition, *, bare: bool) -> dict[str, str]:
    """The headers of a condition (RFC 9110, section 13.1). ``bare`` omits the quotes of an ETag."""
    if isinstance(condition, IfMatch):
        return {"IfMatch": condition.version.strip('"') if bare else condition.version}
    return {"IfNoneMatch": "*"} if isinstance(condition, IfAbsent) else {}


def encoding_parameter(content_type: str, body: bytes) -> dict[str, str]:
    """The parameter of a put of compressed JSON; none for any other body."""
    encoding = content_encoding(content_type, body)
    return {"ContentEncoding": encoding} if encoding else {}


def checksum_parameter(crc: int) -> dict[str, str]:
    """The checksum that the server verifies: a plain header, which other servers ignore."""
    return {"ChecksumCRC32": base64.b64encode(crc.to_bytes(4, "big")).decode()}


def described(key: str, response: Mapping[str, Any], location: str) -> ObjectInfo:
    """The object that the response to a GET or HEAD describes.

    Raises ``StoreUnavailableError`` for a response without the headers that S3 always sends: it is not from S3.
    """
    try:
        return ObjectInfo(
            key,
            _size(response),
            response["LastModified"].astimezone(UTC),
            strong_etag(response["ETag"] or _missing("ETag")),
            response.get("ContentType"),
            split_bucket_checksum(response.get("Metadata", {}))[0],
        )
    except _UNREADABLE as error:
        raise not_from_server(f"it has no readable {error}", location, key) from error


def _size(response: Mapping[str, Any]) -> int:
    """The size of the whole object, also in the response to a GET of a range (RFC 9110, section 14.4)."""
    total = response.get("ContentRange", "").rpartition("/")[2]
    size: int = int(total) if total.isdecimal() else response["ContentLength"]
    return size


def _missing(name: str) -> NoReturn:
    raise KeyError(name)


def version_of(response: Mapping[str, Any], key: str, location: str) -> str:
    """The version in the response to a PUT. Raises ``StoreUnavailableError`` for a response without an ETag."""
    etag = response.get("ETag")
    if not etag:
        raise not_from_server("it has no ETag", location, key).with_outcome("unknown")
    return strong_etag(etag)


def strong_etag(etag: str) -> str:
    """The ETag in quotes, which some servers omit, and without the mark of a weak one, which a compressing proxy adds."""
    etag = etag.removeprefix("W/")
    return etag if etag.startswith('"') else f'"{etag}"'


def _listed_etag(row: Mapping[str, Any]) -> str | None:
    etag = row.get("ETag")
    return strong_etag(etag) if etag else None


def start_after(row: str, delimiter: str) -> dict[str, str]:
    """The parameter to continue after a row. After a folder, that is after every key in it, so that the folder is not repeated."""
    if not row:
        return {}
    return {"StartAfter": row + _LAST_CHARACTER if delimiter and row.endswith(delimiter) else row}


def listed(response: Mapping[str, Any], after: str, delimiter: str, location: str) -> ObjectPage:
    """The page in a response to ListObjectsV2. Raises ``StoreUnavailableError`` for a page, or a row, that S3 cannot have sent.

    SeaweedFS sorts a folder before ``a.b``, S3 after it. So after ``a/`` it also lists ``a.b``, which is left out here. Where the start
    is a row of the page before, the rows stay as the server continues them.
    """
    if "IsTruncated" not in response:
        raise not_from_server("it has no readable IsTruncated", location, None)
    is_folder_of_caller = after.endswith("/") and not delimiter
    try:
        objects = [
            ObjectInfo(row["Key"], row["Size"], row["LastModified"].astimezone(UTC), _listed_etag(row))
            for row in response.get("Contents", [])
            if not is_folder_of_caller or row["Key"] > after
        ]
        rows = [row["Prefix"] for row in response.get("CommonPrefixes", [])]
    except _UNREADABLE as error:
        raise not_from_server(f"a row has no readable {error}", location, None) from error
    folders = [row for row in rows if row.encode() > after.encode()]
    last = max([*(info.key for info in objects[-1:]), *rows[-1:]], key=str.encode, default="")
    return ObjectPage(objects, folders, (last or None) if response.get("IsTruncated") else None)


def versions_after(start: tuple[str, str]) -> dict[str, str]:
    """The parameters to continue a listing of versions after one of them, or after all versions of a key."""
    key, version_id = start
    parameters = {"KeyMarker": key, "VersionIdMarker": version_id}
    return {name: value for name, value in parameters.items() if value}


def listed_versions(response: Mapping[str, Any], location: str) -> VersionPage:
    """The page in a response to ListObjectVersions. Raises ``StoreUnavailableError`` for a page that S3 cannot have sent.

    The server sends the versions of a key newest first, and its delete markers too, but each kind apart from the other.
    """
    if "IsTruncated" not in response:
        raise not_from_server("it has no readable IsTruncated", location, None)
    try:
        found = [_listed_version(row, is_delete=False) for row in response.get("Versions", [])]
        found += [_listed_version(row, is_delete=True) for row in response.get("DeleteMarkers", [])]
    except _UNREADABLE as error:
        raise not_from_server(f"a row has no readable {error}", location, None) from error
    found.sort(key=lambda each: (each.is_current, each.updated_at), reverse=True)
    found.sort(key=lambda each: each.key.encode())
    if not response["IsTruncated"]:
        return VersionPage(found, None)
    return VersionPage(found, (response.get("NextKeyMarker", ""), response.get("NextVersionIdMarker", "")))


def _listed_version(row: Mapping[str, Any], *, is_delete: bool) -> ObjectVersion:
    return ObjectVersion(
        row["Key"],
        row["VersionId"],
        is_current=row["IsLatest"],
        is_delete=is_delete,
        size=0 if is_delete else row["Size"],
        updated_at=row["LastModified"].astimezone(UTC),
        version=None if is_delete else _listed_etag(row),
    )


def erase_parameters(versions: Sequence[ObjectVersion], *, bypass_governance: bool) -> dict[str, Any]:
    """The parameters of a DeleteObjects request that erases versions."""
    rows = [{"Key": each.key, "VersionId": each.version_id} for each in versions]
    bypass = {"BypassGovernanceRetention": True} if bypass_governance else {}
    return {"Delete": {"Objects": rows, "Quiet": True}, **bypass}


def is_error_of(row: Mapping[str, Any], version: ObjectVersion) -> bool:
    """Whether an error in a response to DeleteObjects can be that of this version."""
    return (row["Key"], row.get("VersionId", version.version_id)) == (version.key, version.version_id)


def lock_of(version: ObjectVersion, response: Mapping[str, Any]) -> Kept | None:
    """The lock of a version in the response to its HEAD, if there is one."""
    mode = response.get("ObjectLockMode")
    until = response.get("ObjectLockRetainUntilDate")
    if response.get("ObjectLockLegalHoldStatus") == "ON":
        return Kept(version.key, version.version_id, "an object lock: legal hold")
    if mode:
        reason = f"an object lock: retention in {mode.lower()} mode"
        return Kept(version.key, version.version_id, reason, until.astimezone(UTC) if until else None)
    return None


def listed_uploads(response: Mapping[str, Any], location: str) -> list[ObjectInfo]:
    """The unfinished uploads in a response to ListMultipartUploads, each with the id of the upload as its version."""
    try:
        return [
            ObjectInfo(row["Key"], 0, row["Initiated"].astimezone(UTC), row["UploadId"])
            for row in response.get("Uploads", [])
        ]
    except _UNREADABLE as error:
        raise not_from_server(f"a row has no readable {error}", location, None) from error


def part_size(size: int | None) -> int:
    """The size of an upload's parts, in bytes, for a body of this size."""
    return max(PART_BYTES, -(-(size or 0) // MAX_PARTS))


def attachment(filename: str) -> dict[str, str]:
    """The parameters of a presigned URL whose response a browser saves under a name (RFC 6266) and never shows.

    A file that an agent wrote may be HTML. If a browser showed it, its scripts would run in the origin of the bucket.
    """
    return {"ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(filename, safe='')}"}
