"""JSON text as the format has it: what a general JSON reader lets pass and this one does not."""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple

from sessionbucket._codec.paths import at, find, nesting
from sessionbucket._codec.scan import DEEPEST


class UnreadableTextError(Exception):
    """The text is no JSON of this format; the message says why, and quotes nothing of it."""


class Repeats(dict[str, Any]):
    """An object that names a member more than once; it holds the last value of each."""

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
