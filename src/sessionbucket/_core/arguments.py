"""Checks of arguments where they enter the library. Each raises ``InvalidArgumentError``, which names the argument and the rule."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from datetime import timedelta
from types import CoroutineType
from typing import Any, cast

from sessionbucket._core.headers import check_headers
from sessionbucket._core.objects import (
    NO_METADATA,
    PAGE_LIMIT,
    Always,
    Condition,
    IfAbsent,
    IfMatch,
    ObjectInfo,
    ObjectVersion,
)
from sessionbucket.errors import InvalidArgumentError, shorten

MOST_KEY_BYTES = 1024
"""The limit of S3. Every bucket keeps it, so that a folder can be copied into a bucket."""

MOST_ROWS = 1_000_000
"""The largest page limit of any bucket."""
SHORTEST_EXPIRY = timedelta(seconds=1)
LONGEST_EXPIRY = timedelta(days=7)
"""The limits of Signature Version 4."""

_HEADER_TEXT = re.compile(r"[ -~]*")


def check_text(name: str, value: object) -> None:
    """Raises unless the value is a string."""
    if not isinstance(value, str):
        raise refused(name, value, "a string")


def check_integer(name: str, value: object, least: int | None = None) -> None:
    """Raises unless the value is an integer of at least ``least``."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise refused(name, value, "an integer")
    if least is not None and value < least:
        raise InvalidArgumentError(f"{name} {value} is refused: it must be at least {least}")


def check_function(name: str, value: object) -> None:
    """Raises unless the value can be called."""
    if not callable(value):
        raise refused(name, value, "a function")


def check_kind(name: str, value: object, kind: type) -> None:
    """Raises unless the value is an instance of the class."""
    if not isinstance(value, kind):
        raise refused(name, value, f"of type {kind.__name__}")


def check_items(name: str, value: object, *, may_be_async: bool = False) -> None:
    """Raises unless the value can be iterated over. A string is refused: its items are letters."""
    is_iterable = isinstance(value, Iterable) or (may_be_async and isinstance(value, AsyncIterable))
    if isinstance(value, str | bytes) or not is_iterable:
        raise refused(name, value, "a list, or another iterable")


def refused(name: str, value: object, rule: str) -> InvalidArgumentError:
    """The error of an argument of the wrong type."""
    return InvalidArgumentError(f"{name} is refused: it is of type {type(value).__name__} and must be {rule}")


def close_coroutine(value: object) -> bool:
    """Close a value that an async function returned where no coroutine is allowed. Returns whether it is one."""
    if not isinstance(value, CoroutineType):
        return False
    value.close()
    return True


def check_key(key: object, name: str = "key") -> None:
    """Raises unless the value is a key that every bucket could have. Other programs make keys with a slash at the end."""
    check_prefix(key, name)
    if not key:
        raise InvalidArgumentError(f"{name} is refused: it is empty")
    text = cast("str", key)
    if "." in text and any(segment in (".", "..") for segment in text.split("/")):
        raise InvalidArgumentError(f"{name} {shorten(text)} is refused: its segments may not be '.' or '..'")


def check_prefix(prefix: Any, name: str = "prefix") -> None:
    """Raises unless a key could start with the value."""
    check_text(name, prefix)
    if "\0" in prefix:
        raise InvalidArgumentError(f"{name} {shorten(prefix)} is refused: it has a NUL character")
    try:
        size = len(prefix.encode())
    except UnicodeEncodeError:
        raise InvalidArgumentError(
            f"{name} {shorten(prefix)} is refused: it has a lone surrogate, which UTF-8 cannot encode"
        ) from None
    if size > MOST_KEY_BYTES:
        raise InvalidArgumentError(
            f"{name} {shorten(prefix)} is refused: it has {size} bytes, and {MOST_KEY_BYTES} is the limit"
        )


def check_keys(keys: Any) -> None:
    """Raises unless the value is a list of keys."""
    if isinstance(keys, str | bytes) or not isinstance(keys, Sequence):
        raise refused("keys", keys, "a list of keys")
    for key in keys:
        check_key(key)


def check_get(key: object, max_bytes: object, first: object = None) -> None:
    """Raises for bad arguments of a bucket's ``get``."""
    check_key(key)
    check_integer("max_bytes", max_bytes, 0)
    if first is not None:
        check_integer("first", first, 1)


def check_copy(source: object, target: object) -> None:
    """Raises for bad arguments of a bucket's ``copy``."""
    check_key(source, "source")
    check_key(target, "target")


def check_put(
    key: object, body: object, condition: Condition, content_type: str, metadata: Mapping[str, str]
) -> None:
    """Raises for bad arguments of a bucket's ``put``."""
    check_key(key)
    check_body(body)
    if not isinstance(condition, Always | IfAbsent | IfMatch):
        raise refused("condition", condition, "Always(), IfAbsent() or IfMatch(version)")
    if isinstance(condition, IfMatch):
        check_header_text("the version of the condition", condition.version)
    check_kind("metadata", metadata, Mapping)
    check_headers(content_type, metadata)


def check_body(body: object) -> None:
    """Raises unless the value is bytes."""
    if not isinstance(body, bytes | bytearray):
        raise refused("body", body, "bytes")


def check_delete_if(key: object, version: object) -> None:
    """Raises for bad arguments of a bucket's ``delete_if``."""
    check_key(key)
    check_header_text("version", version)


def check_put_stream(key: object, size: object, content_type: str) -> None:
    """Raises for bad arguments of a bucket's ``put_stream``, except for its chunks."""
    check_key(key)
    if size is not None:
        check_integer("size", size, 0)
    check_headers(content_type, NO_METADATA)


def check_listing(prefix: object, delimiter: object, start_after: object, limit: object) -> None:
    """Raises for bad arguments of a bucket's ``list_page``."""
    check_prefix(prefix)
    check_prefix(start_after, "start_after")
    check_prefix(delimiter, "delimiter")
    check_integer("limit", limit, 1)
    if cast("int", limit) > MOST_ROWS:
        raise InvalidArgumentError(f"limit {limit} is refused: it must be at most {MOST_ROWS:,}")


def check_version_listing(prefix: object, start_after: object, limit: object) -> None:
    """Raises for bad arguments of a bucket's ``list_versions``."""
    check_prefix(prefix)
    if not isinstance(start_after, tuple) or len(start_after) != 2:  # noqa: PLR2004
        raise refused("start_after", start_after, "a key and the id of a version")
    check_prefix(start_after[0], "the key of start_after")
    check_header_text("the version id of start_after", start_after[1])
    check_integer("limit", limit, 1)
    if cast("int", limit) > PAGE_LIMIT:
        raise InvalidArgumentError(f"limit {limit} is refused: it must be at most {PAGE_LIMIT:,}")


def check_get_version(key: object, version_id: object, max_bytes: object) -> None:
    """Raises for bad arguments of a bucket's ``get_version``."""
    check_get(key, max_bytes)
    check_version_id(version_id)


def check_version_id(version_id: object) -> None:
    """Raises unless the value could be the id of a version."""
    check_header_text("version_id", version_id)
    if not version_id:
        raise InvalidArgumentError("version_id is refused: it is empty")


def check_versions(versions: object) -> None:
    """Raises unless the value is a list of versions."""
    check_items("versions", versions)
    for each in cast("Iterable[object]", versions):
        check_kind("each of versions", each, ObjectVersion)


def check_object_infos(objects: object) -> None:
    """Raises unless the value is a list of objects as a listing describes them."""
    check_items("objects", objects)
    for each in cast("Iterable[object]", objects):
        check_kind("each of objects", each, ObjectInfo)


def check_header_text(name: str, value: Any) -> None:
    """Raises unless the value can be the value of an HTTP header, of which only visible ASCII is portable."""
    check_text(name, value)
    if not _HEADER_TEXT.fullmatch(value):
        raise InvalidArgumentError(
            f"{name} {shorten(value)} is refused: only visible ASCII characters and spaces are allowed"
        )


def check_presign(key: object, expires_in: object, filename: object) -> None:
    """Raises for bad arguments of a bucket's ``presign``."""
    check_key(key)
    check_text("filename", filename)
    check_expiry(expires_in)


def check_expiry(expires_in: object) -> None:
    """Raises unless the value is a time after which a presigned URL can expire."""
    if not isinstance(expires_in, timedelta) or not SHORTEST_EXPIRY <= expires_in <= LONGEST_EXPIRY:
        raise InvalidArgumentError(
            f"expires_in {expires_in!r} is refused: it must be a timedelta of 1 second to 7 days, "
            "timedelta(hours=1) for instance"
        )
