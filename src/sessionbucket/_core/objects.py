"""The values of the bucket port: conditions, descriptions of objects, pages, capabilities."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

from sessionbucket._core.retry import NO_RETRY, RetryConfig

PAGE_LIMIT = 1000
"""The most rows that one S3 listing request gives."""

DEFAULT_MAX_BYTES = 256 * 1024 * 1024
"""The largest body that a store reads or writes, unless it is opened with another limit."""

COPY_BYTES = 5 * 1024 * 1024 * 1024
"""The largest body that S3 copies in one request."""

NO_METADATA: Mapping[str, str] = MappingProxyType({})

JSON_CONTENT_TYPE = "application/json"
"""The content type of sessions and their parts."""

ZSTD_START = b"\x28\xb5\x2f\xfd"
"""The first bytes of a zstd frame. No JSON starts with them."""

_MD5_VERSION = re.compile(r'"[0-9a-f]{32}"')
_MULTIPART_MD5_VERSION = re.compile(r'"[0-9a-f]{32}-\d+"')


class _WithoutFields:
    """A value whose instances are all equal."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Always(_WithoutFields):
    """Put unconditionally."""

    __slots__ = ()

    def holds(self, version: str | None) -> bool:
        """Whether the condition holds for an object of this version; None means that there is no object."""
        return True


class IfAbsent(_WithoutFields):
    """Put only when the key does not exist (``If-None-Match: *``)."""

    __slots__ = ()

    def holds(self, version: str | None) -> bool:
        """Whether the condition holds for an object of this version; None means that there is no object."""
        return version is None


class IfMatch(NamedTuple):
    """Put only when the key exists in exactly this version (``If-Match``)."""

    version: str

    def holds(self, version: str | None) -> bool:
        """Whether the condition holds for an object of this version; None means that there is no object."""
        return version == self.version


Condition = Always | IfAbsent | IfMatch

ConditionalWrites = Literal["trusted", "probe", "off"]
"""Whether a store relies on a bucket's conditions without a probe, after a probe, or not at all."""


class Capabilities(NamedTuple):
    """What a bucket can do, and how a store must treat it."""

    retry: RetryConfig = NO_RETRY
    """How often a store retries a request that got no response."""

    conditional_writes: ConditionalWrites = "trusted"
    """``"trusted"`` when ``put`` enforces its condition. ``"probe"`` when a server decides that: the store probes it before
    the first conditional write. ``"off"`` when the store must write unconditionally."""

    conditional_deletes: ConditionalWrites = "off"
    """``"trusted"`` when ``delete_if`` is atomic, ``"probe"`` when a server decides that, ``"off"`` when it is not supported."""

    page_limit: int = PAGE_LIMIT
    """The most rows that ``list_page`` gives at once; at least 1,000."""

    distinguishes_case: bool = True
    """Whether keys that differ only in case are two keys, as in S3. Some file systems make them one."""

    keeps_metadata: bool = True
    """Whether ``head`` and ``get`` return the content type and metadata of the put."""

    lists_body_sizes: bool = True
    """Whether the sizes in listings and descriptions are those of the bodies. A compressing wrapper sets it to False."""

    is_folder: bool = False
    """Whether the bucket is a folder of this machine, where other programs keep files, too, and a request costs little."""

    presigns: bool = False
    """Whether ``presign`` gives URLs."""


def md5_version(body: bytes) -> str:
    """The version that S3 gives to the body of a plain PUT: its MD5 in hexadecimal, in double quotes."""
    return version_of_md5(hashlib.md5(body, usedforsecurity=False))


def version_of_md5(digest: hashlib._Hash) -> str:
    """The version that names a finished MD5."""
    return f'"{digest.hexdigest()}"'


def is_md5_version(version: str | None) -> bool:
    """Whether the version has the form of a plain PUT's ETag. Under KMS and on some servers it is no MD5 all the same."""
    return _MD5_VERSION.fullmatch(version or "") is not None


def is_multipart_md5_version(version: str | None) -> bool:
    """Whether the version has the form of a multipart upload's ETag."""
    return _MULTIPART_MD5_VERSION.fullmatch(version or "") is not None


def content_encoding(content_type: str, body: bytes) -> str | None:
    """The ``Content-Encoding`` of a body: that of compressed JSON, and none of any other."""
    return "zstd" if content_type == JSON_CONTENT_TYPE and body.startswith(ZSTD_START) else None


class ObjectInfo(NamedTuple):
    """An object without its body. A tuple, because a listing can make a hundred thousand of them.

    ``size`` is in bytes. ``version`` is the ETag with its quotes, or None when a listing does not give it.
    Listings and folders give no ``content_type`` and no ``metadata``.
    """

    key: str
    size: int
    updated_at: datetime
    version: str | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] = NO_METADATA


def metadata_entry(metadata: Mapping[str, str], name: str) -> str | None:
    """The value of a metadata entry, even if the server changed the case of its name, as some do."""
    return next((value for each, value in metadata.items() if each.lower() == name), None)


class StoredObject(NamedTuple):
    """An object with its body, both of one version."""

    info: ObjectInfo
    body: bytes

    def __repr__(self) -> str:
        return f"{type(self).__name__}(info={self.info!r})"


class ObjectPage(NamedTuple):
    """One page of a listing.

    ``objects`` are sorted by the UTF-8 bytes of their keys. So are ``folders``, the common prefixes, each of which ends in
    the delimiter. ``next_start_after`` is the ``start_after`` of the next page, or None on the last page.
    """

    objects: list[ObjectInfo]
    folders: list[str]
    next_start_after: str | None


class ObjectVersion(NamedTuple):
    """A version that a versioned bucket keeps at a key, as a listing describes it.

    ``version_id`` is the server's name of it, which never returns; ``version`` is the ETag, which equal bytes share. Of the versions
    of a key at most one is the current one. ``is_delete`` says that it is a delete marker: it has no body, a ``size`` of 0 and no
    ``version``. ``updated_at`` has whole seconds on most servers.
    """

    key: str
    version_id: str
    is_current: bool
    is_delete: bool
    size: int
    updated_at: datetime
    version: str | None = None


class VersionPage(NamedTuple):
    """One page of a listing of versions.

    ``versions`` are sorted by the UTF-8 bytes of their keys, and those of one key newest first. A delete marker may be in either place
    among versions of the same second. ``next_start_after`` is the ``start_after`` of the next page, or None on the last page.
    """

    versions: list[ObjectVersion]
    next_start_after: tuple[str, str] | None


class Kept(NamedTuple):
    """A version that the server did not erase, and the reason. ``until`` is the end of its lock, when the server gives it."""

    key: str
    version_id: str
    reason: str
    until: datetime | None = None


Operation = Literal[
    "get",
    "head",
    "exists",
    "put",
    "copy",
    "delete",
    "delete_if",
    "list_page",
    "put_stream",
    "get_stream",
    "temporary_objects",
    "remove_temporary",
    "presign",
    "keeps_versions",
    "list_versions",
    "get_version",
    "erase",
]
"""The requests of a bucket."""


class BucketCall(NamedTuple):
    """One request to a bucket: its operation and its key; the keys of a ``delete`` or an ``erase``, source and target of a ``copy``, the prefix of a listing."""

    operation: Operation
    keys: Sequence[str]
    condition: Condition = Always()
