"""Messages and their parts in the one form that the families bring theirs into, which ``read_messages`` reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sessionbucket.web.messages import parsed
from sessionbucket.web.transcript import DataBlock

Json = dict[str, Any]
Meta = Sequence[tuple[str, str]]

_MOST_CHARACTERS = 64 * 1024


class Message(NamedTuple):
    """A message, and what its step shows beside it. A message of no known form is the stored value as it is.

    ``heading`` replaces the one of a message.
    """

    body: Any
    meta: Meta = ()
    heading: str = ""


def text(value: Any) -> Json:
    return {"type": "text", "text": words(value)}


def thinking(value: Any) -> Json:
    return {"type": "thinking", "thinking": words(value)}


def call(id: Any, name: Any, arguments: Any) -> Json:
    return {"type": "tool_use", "id": words(id), "name": words(name), "input": parsed(arguments)}


def result(id: Any, content: Any, *, is_error: bool = False) -> Json:
    return {"type": "tool_result", "tool_use_id": words(id), "content": content, "is_error": is_error}


def image(media_type: Any, data: Any) -> Json:
    """``data`` is base64, of either alphabet."""
    plain = words(data).replace("-", "+").replace("_", "/")
    return {"type": "image", "source": {"media_type": words(media_type), "data": plain}}


def words(value: Any) -> str:
    """A value that should be a text."""
    if isinstance(value, str):
        return value
    return "" if value is None else shown_json(value)


def members(value: Any) -> Json:
    """The members of an object; none for any other value."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The items of a list; none for any other value."""
    return value if isinstance(value, list) else []


def without(value: Json, *names: str) -> Json:
    """The members that are not empty, without these."""
    return {
        name: each for name, each in value.items() if name not in names and each not in (None, [], {}, "")
    }


def shown_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)


def data_block(label: str, value: Any) -> DataBlock:
    """A value of JSON under a label. Of a long one, the beginning of its text."""
    written = shown_json(value)
    if len(written) <= _MOST_CHARACTERS:
        return DataBlock(label, value)
    return DataBlock(f"{label}: the first 64 Ki of {len(written):,} characters", written[:_MOST_CHARACTERS])
