"""Store URLs: ``s3://bucket/prefix?option=value`` (or ``gs``, ``az``), ``file:///folder`` and ``memory://name/prefix``.

The options of a store are in its URL, as texts, or are passed as arguments.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sessionbucket.errors import InvalidArgumentError

Cloud = Literal["s3", "gs", "az"]
"""The protocol: S3 (of AWS or another server), Google Cloud Storage, or Azure."""

ENVIRONMENT_VARIABLE = "SESSIONBUCKET_URL"
_CREDENTIALS = frozenset(
    {
        "access_key",
        "access_key_id",
        "account_key",
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_security_token",
        "aws_session_token",
        "credentials",
        "key",
        "password",
        "sas_token",
        "secret",
        "secret_access_key",
        "secret_key",
        "session_token",
        "token",
    }
)
_MEMORY_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_FOLDER_OPTIONS = {"fsync": True, "create": True}
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class CloudURL(NamedTuple):
    """A prefix in a bucket. An option is a text of the URL, or an argument."""

    cloud: Cloud
    bucket: str
    prefix: str
    engine: str | None
    options: dict[str, Any]


class FileURL(NamedTuple):
    """A folder."""

    root: str
    fsync: bool
    create: bool


class MemoryURL(NamedTuple):
    """A prefix in the memory of this name; without a name, a new, empty store in memory."""

    name: str | None
    prefix: str


StoreURL = CloudURL | FileURL | MemoryURL


def parse_url(url: str | os.PathLike[str] | None, options: Mapping[str, Any] = NO_OPTIONS) -> StoreURL:
    """Parse a store's URL, or that in ``SESSIONBUCKET_URL`` when ``url`` is None. A path object is a folder.

    ``options`` are those passed as arguments. Raises ``InvalidArgumentError``. Its message never repeats a value of the URL,
    because it may be a secret.
    """
    if isinstance(url, os.PathLike):
        return _file(os.path.abspath(url), options)  # noqa: PTH100 (`Path.absolute` leaves `..` in place)
    url = url if url is not None else os.environ.get(ENVIRONMENT_VARIABLE)
    if not url:
        raise InvalidArgumentError(
            f"no store URL is given: pass one, or set {ENVIRONMENT_VARIABLE} (s3://bucket/prefix, file:///folder)"
        )
    if not isinstance(url, str):
        raise InvalidArgumentError(
            f"the store URL is of type {type(url).__name__} and must be a string or a path"
        )
    parts = _split(url)
    match parts.scheme:
        case "s3" | "gs" | "az":
            return _cloud(parts.scheme, parts, options)
        case "file":
            if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
                raise InvalidArgumentError(
                    "the store URL of a folder must be file:/// and an absolute path (three slashes)"
                )
            return _file(_path(parts.path), _options(parts, options))
        case "memory":
            prefix = unquote(parts.path).strip("/")
            if _options(parts, options):
                raise InvalidArgumentError("the URL of a store in memory has no options")
            if prefix and not parts.netloc:
                raise InvalidArgumentError(
                    "the URL of a store in memory needs a name before its prefix: memory://name/prefix"
                )
            return MemoryURL(check_memory_name(parts.netloc) if parts.netloc else None, prefix)
    raise InvalidArgumentError(
        "the store URL must start with s3://, gs://, az://, file:// or memory:// (a folder is file:///its/absolute/path, or a "
        "pathlib.Path)"
    )


def _path(path: str) -> str:
    """The path in a file URL as one of this machine."""
    if os.name != "nt":
        return unquote(path)
    from urllib.request import url2pathname  # noqa: PLC0415 (loads all of HTTP)

    return url2pathname(path)


def check_memory_name(name: str) -> str:
    """The name of a bucket in memory. Raises ``InvalidArgumentError`` for a name that breaks the rule, without repeating it."""
    if not isinstance(name, str) or not _MEMORY_NAME.fullmatch(name):
        raise InvalidArgumentError(
            "the name of a store in memory is refused: it must be 1 to 100 ASCII letters, digits, '.', '_' and '-'"
        )
    return name


def _split(url: str) -> SplitResult:
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
    return parts


def _cloud(cloud: Cloud, parts: SplitResult, given: Mapping[str, Any]) -> CloudURL:
    if not parts.netloc:
        raise InvalidArgumentError(f"the store URL names no bucket: it must be {cloud}://bucket/prefix")
    options = _options(parts, given)
    engine = options.pop("engine", None)
    return CloudURL(cloud, parts.netloc, unquote(parts.path).strip("/"), engine, options)


def _file(root: str, options: Mapping[str, Any]) -> FileURL:
    chosen = dict(_FOLDER_OPTIONS)
    for name, value in options.items():
        check_option_name(name, _FOLDER_OPTIONS, "a folder")
        if str(value).lower() not in _BOOLEANS:
            raise InvalidArgumentError(f"option {name!r} is refused: it must be true or false")
        chosen[name] = _BOOLEANS[str(value).lower()]
    return FileURL(root, **chosen)


def _options(parts: SplitResult, given: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in options:
            place = "in the store URL and as an argument" if name in given else "twice in the store URL"
            raise InvalidArgumentError(f"option {name!r} is given {place}")
        if not value:
            raise InvalidArgumentError(f"option {name!r} has no value in the store URL")
        options[name] = value
    return options


def check_option_name(name: str, known: Collection[str], where: str) -> None:
    """Raises ``InvalidArgumentError`` for an unknown option. Its message names the nearest known one."""
    if name in known:
        return
    if name.lower() in _CREDENTIALS:
        raise InvalidArgumentError(
            f"option {name!r} is refused: credentials never go into a store URL or its options; pass them by environment, profile, or "
            "a session of your own"
        )
    from difflib import get_close_matches  # noqa: PLC0415 (for this message only)

    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known options: {', '.join(sorted(known))}"
    raise InvalidArgumentError(f"option {name!r} is unknown for {where}{hint}")
