"""The folders of the integrations: which objects belong to one thread, session or conversation, and what its names are.

Keys have names in the encoding of ``encode_segment``. A name that is too long for a key is cut and hashed there, and is written out
in the first line of some object, which is JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sessionbucket._core.document_keys import decode_segment
from sessionbucket.errors import InvalidArgumentError

Names = tuple[str, ...]

_GROUP = re.compile(r"\(.*?\)")


def _no_names(_line: Any) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Folder:
    """The layout of one folder. A pattern matches the start of a key; its groups have the encoded names of the item."""

    item: str
    """The keys of an item, which are adjacent in a listing. Of an item that is an append log, this is the key of the log alone."""
    others: tuple[str, ...] = ()
    """The keys of the other objects of an append log. Each pattern matches adjacent keys, in the order of the items."""
    named_by: str = "(?!)"
    """The end of the keys of objects that have the names in their first line."""
    names: Callable[[Any], Sequence[str]] = _no_names
    """The names in the decoded first line of such an object."""
    encoded_under: str = ""
    """The names in keys without this prefix are not encoded."""
    logs_under: str | None = None
    """The prefix of the keys of append logs, if there are any."""

    def encoded_names(self, pattern: str, key: str) -> Names | None:
        """The encoded names in a key, or None when it does not match the pattern."""
        found = re.match(pattern, key)
        return tuple("/".join(filter(None, found.groups())).split("/")) if found else None

    def place_of(self, pattern: str, key: str) -> str | None:
        """The start of the keys of ``pattern`` that belong to the item of ``key``, or None when that item has none."""
        found = re.match(self.item, key)
        names = filter(None, found.groups() if found else ())
        place = _GROUP.sub(lambda _: next(names, ""), pattern)
        return place if re.match(pattern, place) else None

    def folder_of_others(self, key: str) -> str | None:
        """The folder that has the other objects of all items, if the key is in one."""
        for pattern in self.others:
            if found := re.match(pattern, key):
                return found.group()[:-1].rpartition("/")[0] + "/"
        return None

    def may_name(self, key: str) -> bool:
        """Whether the first line of this object has the names of its item."""
        return re.search(self.named_by, key) is not None

    def names_in(self, body: bytes) -> Names | None:
        """The names in the first line of an object, or None when the line is incomplete or has none."""
        try:
            line = json.loads(body.partition(b"\n")[0])
            names = tuple(self.names(line)) if line["format"] == 1 else ()
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return names if names and all(isinstance(name, str) for name in names) else None

    def decode(self, names: Names, key: str) -> tuple[Names, bool]:
        """The names as ``key`` has them, and whether all of them are complete. An incomplete one stays encoded."""
        if not key.startswith(self.encoded_under):
            return names, True
        decoded = [decode_segment(name) for name in names]
        shown = (name if text is None else text for name, text in zip(names, decoded, strict=True))
        return tuple(shown), None not in decoded


def _logs(folder: str, names: Callable[[Any], Sequence[str]], *others: str) -> Folder:
    """A layout in which each item is an append log, in the folders that the pattern matches."""
    return Folder(
        item=rf"{folder}([^/]+)\.log\Z",
        others=(rf"{folder}sealed/([^/]+)/", *others),
        named_by=r"\.log\Z",
        names=lambda line: names(line["metadata"]),
        logs_under="",
    )


FOLDERS = {
    "langgraph": Folder(
        item="([^/]+)/", named_by=r"\.c\.[^/]*\Z", names=lambda line: [line["header"]["thread"]]
    ),
    "langgraph-store": Folder(
        item="(.+)/%~/", named_by=r"/%~/[^/]+\Z", names=lambda line: line["header"]["namespace"]
    ),
    "openai-agents": _logs("", lambda metadata: [metadata["session_id"]]),
    "claude": _logs(
        "([^/]+)/s/",
        lambda metadata: [metadata["key"]["project_key"], metadata["key"]["session_id"]],
        "([^/]+)/a/([^/]+)/",
    ),
    "pydantic-ai": _logs("", lambda metadata: [metadata["record"]["conversation_id"]]),
    "strands": Folder(
        item="([^/]+(?:/[^/]+)?)",
        named_by=r"/session\.json\Z",
        names=lambda line: ["repository", line["data"]["session_id"]],
        encoded_under="repository/",
        logs_under="repository/",
    ),
    "adk": _logs(
        "([^/]+)/u/([^/]+)/s/", lambda metadata: [metadata[name] for name in ("app_name", "user_id", "id")]
    ),
    "adk-artifacts": Folder(item="([^/]+/[^/]+)/(?:s/([^/]+)|u)/"),
    "agent-framework": Folder(
        item=r"(?:(checkpoints|sessions)/([^/]+)\.json|(history/[^/]+)/([^/]+)\.log)\Z|(workflows)/([^/]+)/",
        others=("(history/[^/]+)/sealed/([^/]+)/",),
        logs_under="history/",
    ),
    "llama-index": _logs("", lambda metadata: [metadata["key"]]),
}


def folder_of(name: str) -> Folder:
    """The layout of the folder with this name. Raises ``InvalidArgumentError``."""
    if name not in FOLDERS:
        known = ", ".join(FOLDERS)
        raise InvalidArgumentError(f"kind {name!r} is refused: it must be one of {known}")
    return FOLDERS[name]
