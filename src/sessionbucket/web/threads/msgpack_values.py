"""Values that LangGraph has serialized, as JSON. Nothing that they name is imported or called.

LangGraph keeps an object as an extension of msgpack that names a class, with its arguments or members. Those members become JSON under the
name of the class. A message of LangChain is its members alone.
"""

from __future__ import annotations

import json
from typing import Any

_PYDANTIC, _ARRAY, _SNAPSHOT = 5, 6, 7  # below them: arguments of a class
_MOST_OBJECTS = 16
"""The most objects in one another. Each level is read once more for the one around it."""
_MOST_NESTED = 64
_MESSAGES = "langchain_core.messages."
_UNREADABLE = (ValueError, TypeError, RecursionError, MemoryError)


def decode_value(kind: str, data: bytes) -> Any:
    """The value in a blob. What is neither JSON nor msgpack is named by its type and size, and what is damaged says so."""
    if kind == "null":
        return None
    try:
        if kind == "json":
            return _plain(json.loads(data), 0)
        if kind == "msgpack":
            return _unpacked(data, 0)
    except _UNREADABLE as error:
        return f"{len(data):,} bytes of damaged {kind}: {error}"
    return f"{len(data):,} bytes of {kind}, which this viewer does not read"


def _unpacked(data: bytes, depth: int) -> Any:
    import ormsgpack  # noqa: PLC0415 (only threads of LangGraph need it)

    def object_of(code: int, inner: bytes) -> Any:
        return _object(code, inner, depth + 1)

    return _plain(ormsgpack.unpackb(data, ext_hook=object_of, option=ormsgpack.OPT_NON_STR_KEYS), 0)


def _object(code: int, data: bytes, depth: int) -> Any:
    """An extension of msgpack, by its code. A damaged one leaves the value around it as it is."""
    size = f"{len(data):,} bytes"
    if code not in range(_SNAPSHOT + 1):
        return f"{size} of the unknown type {code}"
    if depth > _MOST_OBJECTS:
        return f"{size}, inside of {_MOST_OBJECTS} other objects"
    try:
        return _named(code, _unpacked(data, depth))
    except _UNREADABLE as error:
        return f"{size} of damaged msgpack: {error}"


def _named(code: int, value: Any) -> Any:
    """The members of an object under the name of its class."""
    match value:
        case [str(module), str(), dict(message), *_] if code == _PYDANTIC and module.startswith(_MESSAGES):
            return message
        case [str(), str(name), *_] if name.startswith("Secret"):
            return {name: "hidden"}
        case [str(module), str(name), arguments, *_] if code < _ARRAY:
            return {f"{module}.{name}": arguments}
        case [kind, shape, *_] if code == _ARRAY:
            return {"numpy.ndarray": {"type": kind, "shape": shape}}
    return value


def _plain(value: Any, depth: int) -> Any:
    """A decoded value with nothing but what JSON has."""
    if depth > _MOST_NESTED:
        return "…"
    if isinstance(value, dict):
        shown = {str(name): _plain(each, depth + 1) for name, each in value.items()}
        return _revived(shown) if "lc" in shown else shown
    if isinstance(value, list | tuple):
        return [_plain(each, depth + 1) for each in value]
    if isinstance(value, bytes | bytearray):
        return f"{len(value):,} bytes"
    is_json = value is None or isinstance(value, bool | int | float | str)
    return value if is_json else type(value).__name__


def _revived(value: dict[str, Any]) -> Any:
    """An object as LangChain writes it in JSON: ``{"lc": 1, "id": ["langchain", …, "HumanMessage"], "kwargs": {…}}``."""
    match value:
        case {"id": [*names, str(name)], "kwargs": {"content": _, **members}} if "messages" in names:
            return {
                "type": name.removesuffix("Message").lower(),
                "content": value["kwargs"]["content"],
                **members,
            }
    return value
