"""The reason in a validation error: the member and its problem, but never its value."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from sessionbucket._codec.paths import Path, at

_OWN_WORDS = {"missing_member", "repeated_member", "timestamp", "number_range"}
_QUOTES_THE_VALUE = {
    "assertion_error",
    "get_attribute_error",
    "no_such_attribute",
    "unexpected_keyword_argument",
    "union_tag_invalid",
    "uuid_parsing",
    "value_error",
}
_KNOWN = set(get_args(ErrorType)) - _QUOTES_THE_VALUE
_KEY_OF_A_MAP = "[key]"
_PLAIN_TAG = re.compile(r"'[A-Za-z0-9_.-]{1,40}'", re.ASCII)


def reason(error: ValidationError, tree: Any) -> str:
    """The first error, with its path in ``tree``, the JSON that was validated.

    For a union it has the error inside the best matching type, or the expectation of each
    type. It leaves out messages of a user's own validator, since they can contain the value.
    """
    details = error.errors(include_url=False, include_input=False)
    places = [_path(detail["loc"], tree) for detail in details]
    first = places[0]
    inside = [place for place in places if len(place) > len(first) and place[: len(first)] == first]
    place = inside[0] if inside else first
    wordings = [_wording(detail) for detail, at_ in zip(details, places, strict=True) if at_ == place]
    if details[places.index(place)]["type"] == "missing":
        return at(place[:-1], f"missing member {str(place[-1])!r}" if place else wordings[0])
    return at(place, ", or ".join(dict.fromkeys(wordings)))


def _wording(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "union_tag_invalid":
        tag = str(context.get("tag", ""))
        return f"unknown block type {tag!r}" if _PLAIN_TAG.fullmatch(repr(tag)) else "unknown block type"
    if kind == "union_tag_not_found":
        return "missing member 'type'" if "'type'" in str(context.get("discriminator")) else "missing tag"
    if kind == "json_invalid":
        return f"not JSON: {context.get('error', '')}"
    if kind in _OWN_WORDS or kind in _KNOWN:
        return detail["msg"][0].lower() + detail["msg"][1:]
    return "refused by a validator of the model"


def _path(location: tuple[str | int, ...], tree: Any) -> Path:
    """The members and indexes in ``location``, without the names of a union's choices."""
    path: list[str | int] = []
    tagged = None
    for position, step in enumerate(location):
        is_last = position == len(location) - 1
        if isinstance(tree, dict) and isinstance(step, str):
            # A block's tag precedes its members, and can have the name of one.
            if not is_last and tree is not tagged and tree.get("type") == step:
                tagged = tree
                continue
            if step in tree:
                tree = tree[step]
            elif not is_last or step == _KEY_OF_A_MAP:
                continue
            path.append(step)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
            path.append(step)
    return tuple(path)
