"""What passes through the bucket port: conditions of a put, and what is known of an object."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

from sessionbucket.errors import SessionBucketError

PAGE_LIMIT = 1000
"""The most rows one listing request gives, as in S3."""

ConditionalWrites = Literal["trusted", "probe", "off"]
"""Whether a bucket's conditions are relied on as they are, after a probe, or not at all."""

NO_METADATA: Mapping[str, str] = MappingProxyType({})

JSON = "application/json"
"""The content type of sessions and their parts."""


@dataclass(frozen=True, slots=True)
class Anything:
    """Put whatever is there now."""


@dataclass(frozen=True, slots=True)
class Absent:
    """Put only if the key does not exist (``If-None-Match: *``)."""


@dataclass(frozen=True, slots=True)
class Match:
    """Put only if the key exists in exactly this version (``If-Match``)."""

    version: str


Condition = Anything | Absent | Match


def holds(condition: Condition, version: str | None) -> bool:
    """Whether the condition holds for an object of this version; None stands for no object."""
    match condition:
        case Anything():
            return True
        case Absent():
            return version is None
        case Match(wanted):
            return version == wanted


def version_of(body: bytes) -> str:
    """The version S3 gives a body of a plain PUT: its MD5 in hexadecimal, in double quotes."""
    return quoted_md5(hashlib.md5(body, usedforsecurity=False))


def quoted_md5(digest: hashlib._Hash) -> str:
    """The version that a finished MD5 stands for."""
    return f'"{digest.hexdigest()}"'


class PreconditionFailedError(SessionBucketError):
    """A put's condition did not hold. The object was not changed by the request that was answered so.

    ``retried`` tells that an earlier request of the same put had no answer: it may have been the one
    that changed the object.
    """

    def __init__(self, key: str, *, location: str, retried: bool = False) -> None:
        super().__init__(f"{location}: the condition of the put of {key!r} does not hold")
        self.key = key
        self.location = location
        self.retried = retried


class ObjectInfo(NamedTuple):
    """An object without its body. A tuple, since listings make a hundred thousand of them.

    ``size`` is in bytes. ``version`` is the ETag with its quotes, or None where a listing does not know it.
    ``content_type`` and ``metadata`` are not known to listings, nor to folders.
    """

    key: str
    size: int
    updated_at: datetime
    version: str | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] = NO_METADATA


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object with its body, both of one version."""

    info: ObjectInfo
    body: bytes


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """One page of a listing.

    ``objects`` are sorted by the UTF-8 bytes of their keys, and so are ``folders``, the common prefixes, each
    ending in the delimiter. ``next_start_after`` is what to pass as ``start_after`` for the page after this one,
    or None when this is the last.
    """

    objects: list[ObjectInfo]
    folders: list[str]
    next_start_after: str | None
