"""What obstore's calls take, and what their answers hold."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from sessionbucket._core.objects import Absent, Anything, Condition, Match, ObjectInfo
from sessionbucket._core.store_url import Cloud
from sessionbucket.errors import NotSupportedError

HEAD = {"head": True}
"""The options of a GET that is a HEAD: obstore's own gives no metadata."""
_CONTENT_TYPE = "Content-Type"
_STORAGE_CLASS = "Storage-Class"
_STANDARD = frozenset(
    {
        _CONTENT_TYPE,
        _STORAGE_CLASS,
        "Cache-Control",
        "Content-Disposition",
        "Content-Encoding",
        "Content-Language",
    }
)


def put_mode(condition: Condition) -> Any:
    """The mode of a put. Google knows an object's version by its generation, the others by its ETag."""
    match condition:
        case Anything():
            return "overwrite"
        case Absent():
            return "create"
        case Match(version):
            return {"e_tag": version, "version": version}


def attributes(content_type: str, metadata: Mapping[str, str], storage_class: str | None) -> dict[str, str]:
    """What an object is written with."""
    written = {**metadata, _CONTENT_TYPE: content_type}
    return written | {_STORAGE_CLASS: storage_class} if storage_class else written


def described(key: str, meta: Mapping[str, Any], attributes: Mapping[str, str], cloud: Cloud) -> ObjectInfo:
    """What the answer to a GET or HEAD tells of the object."""
    return ObjectInfo(
        key=key,
        size=meta["size"],
        updated_at=meta["last_modified"],
        version=version_of(meta, cloud),
        content_type=attributes.get(_CONTENT_TYPE),
        metadata=MappingProxyType(
            {name: value for name, value in attributes.items() if name not in _STANDARD}
        ),
    )


def row(meta: Mapping[str, Any], cloud: Cloud) -> ObjectInfo:
    """What a listing tells of an object."""
    return ObjectInfo(meta["path"], meta["size"], meta["last_modified"], version_of(meta, cloud))


def version_of(answer: Mapping[str, Any], cloud: Cloud) -> str | None:
    """The version that a later put can be conditional on; Google's listings do not tell it."""
    if cloud == "gs":
        generation: str | None = answer["version"]
        return generation
    etag: str | None = answer["e_tag"]
    # Azure's listings leave out the quotes.
    return f'"{etag}"' if cloud == "az" and etag and not etag.startswith('"') else etag


def checked_link(link: str, key: str, cloud: Cloud) -> str:
    """The link, if its server will take it.

    Azure holds a signature against the key, and obstore signs it as the path spells it. Raises ``NotSupportedError`` where
    the two differ.
    """
    if cloud == "az" and not urlsplit(link).path.endswith(f"/{key}"):
        raise NotSupportedError(
            f"key {key!r}: obstore cannot sign a link of Azure to a key that a URL has to encode; serve the object yourself"
        )
    return link
