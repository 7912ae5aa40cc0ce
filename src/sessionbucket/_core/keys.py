"""Session ids to keys and back. No other module builds a key.

With ``P`` the store's prefix and ``<stem>`` the encoded id::

    P/<stem>.json                           the session
    P/artifacts/<stem>/artifacts.json       the artifact manifest
    P/artifacts/<stem>/files/<name>         files, one object each
    P/traces/<stem>.json                    trace events
    P/verification/<stem>.json              verification reports
    P/runs/<stem>.json                      run records, written by later releases of a3s-code
    P/subagent_tasks/<stem>.json            tasks of subagents, written by later releases of a3s-code
    P/loop_checkpoints/<run>.json           checkpoints of runs, written by later releases of a3s-code
    P/workflow_checkpoints/<workflow>.json  the same of workflows
    P/v1/sessions/id_<base64url>.json       snapshots of sessions, written by a3s-code 5.0 and later, and only read here
    P/.sessionbucket/…                      the store's own bookkeeping, never listed
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import NamedTuple, cast
from urllib.parse import unquote_to_bytes

from sessionbucket._core.arguments import check_text
from sessionbucket.errors import InvalidArgumentError, InvalidSessionIdError, shorten

MAX_STEM_BYTES = 200
SUFFIX = ".json"
_ARTIFACTS = "artifacts"
_MANIFEST = "artifacts.json"
_FILES = "files"
_PART_FOLDERS = (_ARTIFACTS, "traces", "verification", "runs", "subagent_tasks")
_CHECKPOINT_FOLDERS = ("loop_checkpoints", "workflow_checkpoints")
_V1_STEM = "id_"
_SAFE = re.compile(rf"[A-Za-z0-9\-_~@+=,][A-Za-z0-9\-_.~@+=,]{{0,{MAX_STEM_BYTES - 1}}}")
_UNSAFE = re.compile(rb"[^A-Za-z0-9\-_.~@+=,]|^\.")
_ESCAPED_SLASH = "%2F"


class SessionKeys(NamedTuple):
    """The keys of one session: its object, its parts, and the folder of its files."""

    root: str
    stem: str
    session: str

    @classmethod
    def under(cls, root: str, stem: str) -> SessionKeys:
        """The keys of the session with this encoded id."""
        return cls(root, stem, f"{root}{stem}{SUFFIX}")

    @property
    def artifacts(self) -> str:
        return f"{self.root}artifacts/{self.stem}/artifacts.json"

    @property
    def files(self) -> str:
        return f"{self.root}artifacts/{self.stem}/files/"

    @property
    def artifacts_folder(self) -> str:
        return f"{self.root}artifacts/{self.stem}/"

    @property
    def traces(self) -> str:
        return f"{self.root}traces/{self.stem}{SUFFIX}"

    @property
    def verification(self) -> str:
        return f"{self.root}verification/{self.stem}{SUFFIX}"

    @property
    def runs(self) -> str:
        return f"{self.root}runs/{self.stem}{SUFFIX}"

    @property
    def subagent_tasks(self) -> str:
        return f"{self.root}subagent_tasks/{self.stem}{SUFFIX}"

    @property
    def lease(self) -> str:
        """The key of the lease on the session, which is bookkeeping."""
        return f"{self.root}.sessionbucket/leases/{self.stem}{SUFFIX}"

    @property
    def json_parts(self) -> list[str]:
        """The keys of the parts that are one object each."""
        return [self.artifacts, self.traces, self.verification, self.runs, self.subagent_tasks]

    def file(self, name: str) -> str:
        """The key of a file.

        Raises ``InvalidArgumentError`` for a name that breaks a rule. The rules are those of session ids.
        """
        return self.files + _encode(name, _refuse_file_name)

    def file_name(self, key: str) -> str:
        """The name of the file at a key under ``files``."""
        return _decode(key.removeprefix(self.files))


class StoreKeys:
    """The keys of a store under one prefix."""

    def __init__(self, prefix: str = "") -> None:
        """``prefix`` is empty or separated by ``/``; slashes at its ends are ignored.

        Raises ``InvalidArgumentError`` for a prefix with an empty segment, ``.``, ``..``, a backslash or a
        control character, or of more than 512 UTF-8 bytes.
        """
        check_text("prefix", prefix)
        prefix = prefix.strip("/")
        _check_prefix(prefix)
        self.prefix = prefix
        self.root = f"{prefix}/" if prefix else ""
        self.bookkeeping = f"{self.root}.sessionbucket/"

    def location(self, bucket: str) -> str:
        """The location of the store in the bucket at this location."""
        return f"{bucket}/{self.prefix}".rstrip("/")

    @property
    def catalog(self) -> str:
        """The folder of the catalog's shards, each named after the first session in it."""
        return f"{self.bookkeeping}catalog/"

    @property
    def checkpoint_folders(self) -> tuple[str, ...]:
        """The folders of the checkpoints that a3s-code keeps by run or workflow; they belong to no session."""
        return tuple(f"{self.root}{name}/" for name in _CHECKPOINT_FOLDERS)

    @property
    def v1_folder(self) -> str:
        """The folder of the v1 layout of a3s-code."""
        return f"{self.root}v1/"

    @property
    def v1_sessions(self) -> str:
        """The folder of the sessions in the v1 layout of a3s-code."""
        return f"{self.v1_folder}sessions/"

    def v1_session(self, session_id: str) -> str:
        """The key of a session in the v1 layout. Raises ``InvalidSessionIdError``."""
        return f"{self.v1_sessions}{self._v1_stem(session_id)}{SUFFIX}"

    def v1_part(self, name: str, session_id: str) -> str:
        """The key of one of the ``JSON_PARTS`` in the v1 layout, for a session that is no snapshot."""
        return cast("str", getattr(SessionKeys.under(self.v1_folder, self._v1_stem(session_id)), name))

    def v1_session_id(self, key: str) -> str | None:
        """The id in a key of the v1 layout, or None when the key is no session's."""
        name = key.removeprefix(self.v1_sessions)
        stem = name.removesuffix(SUFFIX)
        encoded = stem.removeprefix(_V1_STEM)
        if stem == name or encoded in (stem, ""):
            return None
        try:
            id = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        except (binascii.Error, ValueError):
            return None
        return id if self._v1_name(id) == stem else None

    def _v1_stem(self, session_id: str) -> str:
        _encode(session_id, InvalidSessionIdError)
        return self._v1_name(session_id)

    @staticmethod
    def _v1_name(session_id: str) -> str:
        return _V1_STEM + urlsafe_b64encode(session_id.encode()).decode().rstrip("=")

    @property
    def part_folders(self) -> tuple[str, ...]:
        """The folders that hold the parts of all sessions."""
        return tuple(f"{self.root}{name}/" for name in _PART_FOLDERS)

    def stem(self, key: str) -> str:
        """The encoded id in the key of a session."""
        return key.removeprefix(self.root).removesuffix(SUFFIX)

    def session(self, stem: str) -> str:
        """The key of the session with this encoded id."""
        return f"{self.root}{stem}{SUFFIX}"

    def part_stem(self, key: str) -> str:
        """The encoded id in the key of a part."""
        return key.removeprefix(self.root).split("/")[1].removesuffix(SUFFIX)

    def part_prefixes(self, prefix: str) -> tuple[str, ...]:
        """The prefixes of the keys of all parts that belong to sessions whose ids start with ``prefix``."""
        start = self.id_prefix(prefix).removeprefix(self.root)
        return tuple(folder + start for folder in self.part_folders)

    def part_key(self, name: str, stem: str) -> str:
        """The key of one of the ``JSON_PARTS`` of a session, given its encoded id."""
        return cast("str", getattr(SessionKeys.under(self.root, stem), name))

    def part(self, key: str) -> tuple[str, str]:
        """The name of the part at a key under ``part_folders``, and the encoded id of its session.

        The name is empty when another program made the key.
        """
        folder, stem, *rest = key.removeprefix(self.root).split("/")
        if folder == _ARTIFACTS:
            return {_MANIFEST: _ARTIFACTS, _FILES: _FILES}.get((rest or [""])[0], ""), stem
        return ("" if rest else folder), stem.removesuffix(SUFFIX)

    def of_session(self, session_id: str) -> SessionKeys:
        """The keys of a session. Raises ``InvalidSessionIdError`` for an id that breaks a rule."""
        stem = _encode(session_id, InvalidSessionIdError)
        return SessionKeys(self.root, stem, f"{self.root}{stem}{SUFFIX}")

    def legacy_keys(self, session_id: str) -> SessionKeys | None:
        r"""The keys under the legacy name, or None when they are the same or cannot exist.

        a3s-code up to 4.x replaces ``/`` and ``\`` by ``_``, and then each ``..`` by ``_``. So several ids share a
        legacy name, and an object there belongs to this session only if it contains this id.
        """
        stem = re.sub(r"[/\\]", "_", session_id).replace("..", "_")
        if (
            stem == _encode(session_id, InvalidSessionIdError)
            or stem == "."
            or len(stem.encode()) > MAX_STEM_BYTES
        ):
            return None
        return SessionKeys.under(self.root, stem)

    def is_key_of(self, session_id: str, key: str) -> bool:
        """Whether this key is the session's encoded id or its legacy name."""
        return key == self.of_session(session_id).session or self.is_legacy_key(session_id, key)

    def is_legacy_key(self, session_id: str, key: str) -> bool:
        """Whether this key is the session's legacy name and not its encoded id."""
        try:
            keys = self.legacy_keys(session_id)
        except InvalidSessionIdError:
            return False
        return keys is not None and keys.session == key

    def id_prefix(self, prefix: str) -> str:
        """The prefix of the keys of all sessions whose ids start with ``prefix``."""
        check_text("prefix", prefix)
        if not prefix:
            return self.root
        return self.root + _encode(prefix, InvalidSessionIdError)

    def session_id(self, key: str) -> str | None:
        """The id that a key directly under the prefix decodes to, or None when the key is no session's.

        A name that is no encoding of any id (another program made it) is returned as it is.
        """
        name = key.removeprefix(self.root)
        stem = name.removesuffix(SUFFIX)
        if stem in (name, "") or "/" in name:
            return None
        return _decode(stem)


def _encode(name: str, refuse: Callable[[str, str], InvalidArgumentError]) -> str:
    if not isinstance(name, str):
        raise refuse(str(name), f"it is of type {type(name).__name__} and must be a string")
    if _SAFE.fullmatch(name):
        return name
    if not name:
        raise refuse(name, "it is empty")
    if "\0" in name:
        raise refuse(name, "it has a NUL character")
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise refuse(name, "it has a lone surrogate, which UTF-8 cannot hold") from None
    stem = _escape(raw)
    if len(stem) > MAX_STEM_BYTES:
        raise refuse(name, f"its encoded form has {len(stem)} bytes, and {MAX_STEM_BYTES} is the limit")
    return stem


def _decode(stem: str) -> str:
    if "%" not in stem:
        return stem
    if "%" not in (name := stem.replace(_ESCAPED_SLASH, "/")) and _SAFE.fullmatch(name.replace("/", "_")):
        return name
    try:
        name = unquote_to_bytes(stem).decode()
    except UnicodeDecodeError:
        return stem
    return name if _escape(name.encode()) == stem else stem


def _escape(raw: bytes) -> str:
    return _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], raw).decode()


def _refuse_file_name(name: str, rule: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"file name {shorten(name)} is refused: {rule}")


def _check_prefix(prefix: str) -> None:
    if not prefix:
        return
    if len(prefix.encode(errors="replace")) > 512:  # noqa: PLR2004
        rule = "it has more than 512 bytes"
    elif any(segment in ("", ".", "..") for segment in prefix.split("/")):
        rule = "its segments may not be empty, '.' or '..'"
    elif re.search(r"[\x00-\x1f\x7f\\]|[\ud800-\udfff]", prefix):
        rule = "it may not have backslashes, control characters or lone surrogates"
    else:
        return
    raise InvalidArgumentError(f"prefix {shorten(prefix)} is refused: {rule}")
