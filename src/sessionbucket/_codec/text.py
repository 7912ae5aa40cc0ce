"""JSON text: what a general JSON parser accepts and this format does not."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

from sessionbucket._codec.paths import at, find, nesting

DEEPEST = 127
"""The most arrays and objects inside each other; the reference reads no more."""

LONGEST_INTEGER = 4300
"""The most digits of an integer. It is Python's own limit, beyond which no reader here could parse it."""

_INDENT = b"  "
_DEEPEST_INDENT = b"\n" + _INDENT * DEEPEST
# A line at the indent of the deepest members that is indented further or ends in an empty container.
_TOO_DEEP = re.compile(rb"\n {%d}(?:  |[^\n]*(?:\[\]|\{\}),?\n)" % (2 * DEEPEST))
_PIECE = LONGEST_INTEGER // 2  # a longer integer fills at least one whole piece of this length


def starts_as_printed(body: bytes) -> bool:
    """Whether the text starts as the codec prints any object with a member: a bracket, a new line, two spaces."""
    return body[1:4] == b"\n" + _INDENT


def may_break_a_rule(body: bytes) -> bool:
    """Whether a printed text may have a NaN or an infinity, too many levels, or too long an integer. False is certain."""
    if may_hold_a_constant(body) or is_too_deep(body):
        return True
    for start in range(0, len(body), _PIECE):  # noqa: SIM110 (a generator costs a call for each piece)
        if body[start : start + _PIECE].isdigit():
            return True
    return False


def may_hold_a_constant(body: bytes) -> bool:
    """Whether ``NaN`` or ``Infinity`` is anywhere in the text, be it inside a string."""
    return b"NaN" in body or b"Infinity" in body


def is_too_deep(body: bytes) -> bool:
    """Whether a printed text has more than `DEEPEST` levels."""
    # A newline inside a string is escaped, so this many spaces are an indent.
    return _DEEPEST_INDENT in body and _TOO_DEEP.search(body) is not None


class UnreadableTextError(Exception):
    """The text is no JSON of this format. The message has the reason, and quotes nothing of the text."""


class Repeats(dict[str, Any]):
    """An object with repeated members; it has the last value of each."""

    repeated: frozenset[str]


class Document(NamedTuple):
    """A parsed text, and whether any object in it repeats a member."""

    tree: Any
    has_repeats: bool


def parse(body: bytes) -> Document:
    """Parse a whole document, or raise `UnreadableTextError` for the first thing wrong with its text."""
    text = _decode(body)
    repeats: list[Repeats] = []
    outside: list[float] = []

    def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        marked = Repeats(members)
        names = [name for name, _ in pairs]
        marked.repeated = frozenset(name for name in members if names.count(name) > 1)
        repeats.append(marked)
        return marked

    def read_float(number: str) -> float:
        value = float(number)
        if not math.isfinite(value):
            outside.append(value)
        return value

    problem: str | None
    try:
        tree = json.loads(
            text, object_pairs_hook=read_object, parse_float=read_float, parse_constant=read_float
        )
    except json.JSONDecodeError as error:
        problem = f"not JSON: {error.msg.removesuffix(' at')} at line {error.lineno} column {error.colno}"
    except RecursionError:
        problem = _too_deep()
    except ValueError:
        problem = "number out of range"
    else:
        problem = _problem_of(tree, bool(outside))
    if problem:
        raise UnreadableTextError(problem)
    return Document(tree, bool(repeats))


def _decode(body: bytes) -> str:
    if not body.strip():
        raise UnreadableTextError("empty")
    if body.startswith(b"\xef\xbb\xbf"):
        raise UnreadableTextError("not JSON: it starts with a byte order mark")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"not UTF-8: byte {error.start}"
    raise UnreadableTextError(problem)


def _problem_of(tree: Any, has_numbers_outside: bool) -> str | None:
    if has_numbers_outside:
        path = find(tree, is_not_finite) or ()
        return at(path, "NaN, an infinity, or a number out of range")
    return _too_deep() if nesting(tree) > DEEPEST else None


def _too_deep() -> str:
    return f"nested more than {DEEPEST} levels deep"


def is_not_finite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def has_lone_surrogate(value: Any) -> bool:
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def is_long_integer(value: Any) -> bool:
    return isinstance(value, int) and abs(value) >= 10**LONGEST_INTEGER
