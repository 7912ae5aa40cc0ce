"""The members of a JSON object as texts, without a change of their bytes."""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder

from sessionbucket._codec.text import UnreadableTextError

_DECODER = JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")


def top_level_members(body: bytes) -> dict[str, bytes]:
    """Each member's name and text, indented as a document of its own if the object is indented by two spaces.

    The texts are not checked: parse each one before its use. Raises ``UnreadableTextError`` for anything but a JSON object in
    UTF-8, and for a repeated member.
    """
    members: dict[str, bytes] = {}
    try:
        text = body.decode()
        at = _after(text, _skip(text, 0), "{")
        while not text.startswith("}", at):
            name, at = _DECODER.raw_decode(text, _after(text, at, ",") if members else at)
            start = _after(text, _skip(text, at), ":")
            _, end = _DECODER.raw_decode(text, start)
            if not isinstance(name, str) or name in members:
                raise UnreadableTextError(f"repeated member {name!r}")
            # A newline inside a string is escaped, so every newline is layout.
            members[name] = text[start:end].replace("\n  ", "\n").encode()
            at = _skip(text, end)
        if _skip(text, at + 1) != len(text):
            raise UnreadableTextError("not JSON: text after the object")
    except (UnicodeDecodeError, RecursionError, JSONDecodeError, ValueError):
        problem = "not JSON, or no object"
    else:
        return members
    raise UnreadableTextError(problem)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _after(text: str, at: int, sign: str) -> int:
    """The place of the next value after this sign."""
    if not text.startswith(sign, at):
        raise JSONDecodeError("unexpected text", text, at)
    return _skip(text, at + len(sign))
