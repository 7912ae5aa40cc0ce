"""Changing the strings of a JSON text, and nothing else of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from sessionbucket.errors import InvalidArgumentError

# Valid JSON has quotes only around strings. A string before a colon is the name of a member.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"(?P<is_name>\s*:)?', re.DOTALL)


class Redacted(NamedTuple):
    """A JSON text after a change of its strings. ``has_names`` says that the change would also alter the name of a member."""

    body: bytes
    has_names: bool


def redacted(body: bytes, change: Callable[[str], str]) -> Redacted:
    """The JSON text with ``change`` applied to every string that is a value. Numbers, layout and names of members stay as they are.

    Raises ``InvalidArgumentError`` when ``change`` returns anything but a string that UTF-8 can hold.
    """
    names: set[str] = set()

    def replaced(found: re.Match[str]) -> str:
        if found["is_name"]:
            names.add(found[0])
            return found[0]
        before = json.loads(found[0])
        after = _checked(change(before))
        return found[0] if after == before else json.dumps(after, ensure_ascii=False)

    text = _STRING.sub(replaced, body.decode())
    spelled = [json.loads(name.rpartition(":")[0]) for name in names]
    return Redacted(_encoded(text), any(change(name) != name for name in spelled))


def _checked(after: object) -> str:
    if not isinstance(after, str):
        raise InvalidArgumentError(
            f"`change` of redact() returned a {type(after).__name__}: it must return the new string; nothing was written"
        )
    return after


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(
            "`change` of redact() returned a string with a lone surrogate, which UTF-8 cannot hold; nothing was written"
        ) from None
