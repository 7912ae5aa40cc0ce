"""The arguments of obstore's calls, and the contents of their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sessionbucket._backends.s3.requests import strong_etag
from sessionbucket._core.body_checksum import split_bucket_checksum
from sessionbucket._core.objects import Condition, IfAbsent, IfMatch, ObjectInfo
from sessionbucket._core.store_url import Cloud
from sessionbucket.errors import NotSupportedError

HEAD = {"head": True}
"""The options of a GET that is a HEAD: obstore's own ``head`` returns no metadata."""
_CONTENT_TYPE = "Content-Type"
_CONTENT_ENCODING = "Content-Encoding"
_STORAGE_CLASS = "Storage-Class"
_STANDARD = frozenset(
    {
        _CONTENT_TYPE,
        _STORAGE_CLASS,
        "Cache-Control",
        "Content-Disposition",
        _CONTENT_ENCODING,
        "Content-Language",
    }
)


def range_options(first: int | None) -> Any:
    """The options of a GET of the first bytes alone."""
    return {"range": (0, first)} if first else None


def put_mode(condition: Condition, *, bare: bool) -> Any:
    """The mode of a put. Google identifies a version by its generation, the others by its ETag, ``bare`` without quotes."""
    if isinstance(condition, IfMatch):
        version = condition.version.strip('"') if bare else condition.version
        return {"e_tag": version, "version": version}
    return "create" if isinstance(condition, IfAbsent) else "overwrite"


def attributes(
    content_type: str, metadata: Mapping[str, str], storage_class: str | None, encoding: str | None = None
) -> dict[str, str]:
    """The attributes of a new object."""
    written = {**metadata, _CONTENT_TYPE: content_type}
    if storage_class:
        written[_STORAGE_CLASS] = storage_class
    if encoding:
        written[_CONTENT_ENCODING] = encoding
    return written


def tags(tagging: str | None) -> dict[str, str] | None:
    """The tags of a new object."""
    return dict(parse_qsl(tagging, keep_blank_values=True)) if tagging else None


def described(
    key: str, meta: Mapping[str, Any], attributes: Mapping[str, str], cloud: Cloud
) -> tuple[ObjectInfo, int | None]:
    """The object that the result of a GET or HEAD describes, and the CRC-32 in the bucket's metadata entry."""
    metadata, crc = split_bucket_checksum(
        {name: value for name, value in attributes.items() if name not in _STANDARD}
    )
    info = ObjectInfo(
        key,
        meta["size"],
        meta["last_modified"],
        version_of(meta, cloud),
        attributes.get(_CONTENT_TYPE),
        metadata,
    )
    return info, crc


def listed(meta: Mapping[str, Any], cloud: Cloud) -> ObjectInfo:
    """The object in a row of a listing."""
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"], version_of(meta, cloud))


def version_of(result: Mapping[str, Any], cloud: Cloud) -> str | None:
    """The version for the condition of a later put. Google's listings do not have it."""
    if cloud == "gs":
        generation: str | None = result["version"]
        return generation
    etag: str | None = result["e_tag"]
    return strong_etag(etag) if etag else None  # Azure's listings omit the quotes


def check_presigned_url(url: str, key: str, cloud: Cloud) -> str:
    """The URL, if the server accepts it.

    Azure verifies a signature of the key, and obstore signs the key as encoded in the URL. Raises ``NotSupportedError``
    when the two differ.
    """
    if cloud == "az" and not urlsplit(url).path.endswith(f"/{key}"):
        raise NotSupportedError(
            f"key {key!r}: obstore cannot presign an Azure URL for a key that a URL must encode; serve the object yourself"
        )
    return url
