"""Store URLs: ``s3://bucket/prefix?option=value`` (or ``gs``, ``az``), ``file:///folder`` and ``memory://``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sessionbucket.errors import InvalidArgumentError

Cloud = Literal["s3", "gs", "az"]
"""The protocol: S3 (of AWS or another server), Google Cloud Storage, or Azure."""

ENVIRONMENT_VARIABLE = "SESSIONBUCKET_URL"
_FOLDER_OPTIONS = {"fsync": True, "create": True}
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class CloudURL:
    """A prefix in a bucket. The options are the texts of the URL."""

    cloud: Cloud
    bucket: str
    prefix: str
    engine: str | None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileURL:
    """A folder."""

    root: str
    fsync: bool
    create: bool


@dataclass(frozen=True, slots=True)
class MemoryURL:
    """A new, empty store in memory."""


StoreURL = CloudURL | FileURL | MemoryURL


def parse_url(url: str | None) -> StoreURL:
    """Parse a store's URL, or that in ``SESSIONBUCKET_URL`` when ``url`` is None.

    Raises ``InvalidArgumentError``. Its message never repeats a value of the URL, because it may be a secret.
    """
    url = url if url is not None else os.environ.get(ENVIRONMENT_VARIABLE)
    if not url:
        raise InvalidArgumentError(
            f"no store URL is given: pass one, or set {ENVIRONMENT_VARIABLE} (s3://bucket/prefix, file:///folder)"
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InvalidArgumentError(f"the store URL cannot be read: {error}") from None
    if "@" in parts.netloc:
        raise InvalidArgumentError(
            "the store URL must not contain credentials; pass them by environment, profile, or a session of your own"
        )
    if parts.fragment:
        raise InvalidArgumentError("the store URL may not have a fragment; write '#' in a prefix as %23")
    match parts.scheme:
        case "s3" | "gs" | "az":
            return _cloud(parts.scheme, parts)
        case "file":
            return _file(parts)
        case "memory":
            if parts.path.strip("/") or parts.netloc or parts.query:
                raise InvalidArgumentError(
                    "the URL of a store in memory must be memory:// without a path or options"
                )
            return MemoryURL()
    raise InvalidArgumentError(
        "the store URL must start with s3://, gs://, az://, file:// or memory:// (a folder is file:///its/absolute/path)"
    )


def _cloud(cloud: Cloud, parts: SplitResult) -> CloudURL:
    if not parts.netloc:
        raise InvalidArgumentError(f"the store URL names no bucket: it must be {cloud}://bucket/prefix")
    options = _options(parts)
    engine = options.pop("engine", None)
    return CloudURL(cloud, parts.netloc, unquote(parts.path).strip("/"), engine, options)


def _file(parts: SplitResult) -> FileURL:
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise InvalidArgumentError(
            "the store URL of a folder must be file:/// and an absolute path (three slashes)"
        )
    chosen = dict(_FOLDER_OPTIONS)
    for name, value in _options(parts).items():
        check_option_name(name, _FOLDER_OPTIONS, "a folder")
        if value.lower() not in _BOOLEANS:
            raise InvalidArgumentError(f"option {name!r} is refused: it must be true or false")
        chosen[name] = _BOOLEANS[value.lower()]
    from urllib.request import url2pathname  # noqa: PLC0415 (loads all of HTTP)

    return FileURL(url2pathname(parts.path), **chosen)


def _options(parts: SplitResult) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in options:
            raise InvalidArgumentError(f"option {name!r} is repeated in the store URL")
        if not value:
            raise InvalidArgumentError(f"option {name!r} has no value in the store URL")
        options[name] = value
    return options


def check_option_name(name: str, known: dict[str, bool] | frozenset[str], where: str) -> None:
    """Raises ``InvalidArgumentError`` for an unknown option. Its message names the nearest known one."""
    if name in known:
        return
    from difflib import get_close_matches  # noqa: PLC0415 (for this message only)

    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known options: {', '.join(sorted(known))}"
    raise InvalidArgumentError(f"option {name!r} is unknown for {where}{hint}")
