"""The codec of conversations: JSON with a message a line, without pydantic.

``{"format":"conversation.v1","id":…,"metadata":{…},"usage":{…},"messages":[`` is the first line; then comes a line for each message,
and the last line ends the list and has the unknown members.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from sessionbucket._codec.paths import at, find
from sessionbucket._codec.text import (
    DEEPEST,
    LONGEST_INTEGER,
    Repeats,
    UnreadableTextError,
    has_lone_surrogate,
    is_long_integer,
    is_not_finite,
    parse,
)
from sessionbucket._core.objects import DEFAULT_MAX_BYTES
from sessionbucket.errors import InvalidArgumentError, SessionCorruptedError, SessionTooLargeError
from sessionbucket.models.conversation import Conversation

ConversationT = TypeVar("ConversationT", bound=Conversation)

FORMAT = "conversation.v1"
_NEEDED = ("format", "id", "messages")
_KNOWN = frozenset({*_NEEDED, "title", "metadata", "usage"})
_UNPRINTABLE = (TypeError, ValueError, RecursionError)
_CONTAINERS = (dict, list, tuple)
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class ConversationCodec(Generic[ConversationT]):
    """Conversations to JSON bytes and back. Reading is strict: what a save would not write again unchanged is refused."""

    def __init__(self, type_: type[ConversationT], *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._type = type_
        self._max_bytes = max_bytes

    def encode(self, value: ConversationT, *, key: str) -> bytes:
        """The body that stores ``value`` under ``key``.

        Raises ``InvalidArgumentError`` with the path, and never the value, for a field of the wrong type and for a value that JSON
        cannot hold: NaN and infinities, lone surrogates, names of members that are no strings, more than 127 levels. Raises
        ``SessionTooLargeError`` above ``max_bytes``.
        """
        body = b""
        problem = value.problem()
        if not problem:
            try:
                body = _print(value)
            except _UNPRINTABLE:
                problem = _problem_of(value)
            else:
                problem = _hidden_problem(value)
        if problem:
            raise InvalidArgumentError(f"{key!r} cannot be written: {problem}; nothing was written")
        if len(body) > self._max_bytes:
            raise SessionTooLargeError(key, size=len(body), limit=self._max_bytes)
        return body

    def decode(self, body: bytes, *, key: str, is_printed: bool = False) -> ConversationT:
        """The conversation in ``body``, which was read under ``key``. ``is_printed`` says that a codec printed the body.

        Raises ``SessionCorruptedError`` with the first error and its path, which quotes nothing of the body, and
        ``SessionTooLargeError`` above ``max_bytes``, before it parses anything.
        """
        if len(body) > self._max_bytes:
            raise SessionTooLargeError(key, size=len(body), limit=self._max_bytes)
        value, problem = self._read(body, is_printed=is_printed)
        if value is None:
            raise SessionCorruptedError(key, problem)
        return value

    def dropped_members(self, value: ConversationT, body: bytes) -> tuple[str, ...]:
        """No member: a conversation keeps those that it does not know."""
        return ()

    def _read(self, body: bytes, *, is_printed: bool) -> tuple[ConversationT | None, str]:
        """The value, or the problem of the text.

        Python's parser accepts texts that this codec refuses. A text that the codec would print again has none of their problems; any
        other text is parsed again, by a parser that finds them.
        """
        with suppress(ValueError, RecursionError, InvalidArgumentError):
            tree = json.loads(body)
            if not _problem_of_members(tree):
                value = self._value_of(tree)
                if is_printed or (_print(value) == body and not _hidden_problem(value)):
                    return value, ""
        try:
            tree = parse(body).tree
            problem = _problem_of_members(tree)
            return (None, problem) if problem else (self._value_of(tree), "")
        except (UnreadableTextError, InvalidArgumentError) as error:
            return None, str(error)

    def _value_of(self, tree: dict[str, Any]) -> ConversationT:
        """Raises ``InvalidArgumentError`` for a member of the wrong type."""
        return self._type(
            id=tree["id"],
            title=tree.get("title"),
            metadata=tree.get("metadata", {}),
            usage=tree.get("usage", {}),
            messages=tree["messages"],
            unknown={name: tree[name] for name in tree if name not in _KNOWN},
        )


def _print(value: Conversation) -> bytes:
    head = {"format": FORMAT, "id": value.id}
    if value.title is not None:
        head["title"] = value.title
    start = _encode({**head, "metadata": value.metadata, "usage": value.usage})
    lines = ",\n".join(map(_encode, value.messages))
    end = f",{_encode(value.unknown)[1:]}" if value.unknown else "}"
    return f'{start[:-1]},"messages":[\n{lines}\n]{end}'.encode()


def _problem_of_members(tree: Any) -> str:
    """The problem of the names and the format of a document, if there is one, without a value of it."""
    if not isinstance(tree, dict):
        return "not an object"
    for name in _NEEDED:
        if name not in tree:
            return f"missing member {name!r}"
    if isinstance(tree, Repeats) and (repeated := sorted(tree.repeated & _KNOWN)):
        return f"repeated member {repeated[0]!r}"
    if tree["format"] != FORMAT:
        return f"its format is not {FORMAT!r}: read it with the model that wrote it, or with a later release of sessionbucket"
    return ""


def _hidden_problem(value: Conversation) -> str:
    """The problem of a conversation that Python's encoder prints all the same, with another meaning or too deep to be read."""
    taken = sorted(_KNOWN & value.unknown.keys())
    if taken:
        return f"unknown: {taken[0]!r} is the name of a member of every conversation"
    level: list[Any] = [_tree(value)]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for container in level:
            if isinstance(container, dict):
                if set(map(type, container)) - {str} and _has_other_names(container):
                    return _at(value, _has_other_names, "the name of a member is no string")
                items: Iterable[Any] = container.values()
            else:
                items = container
            inner += [item for item in items if isinstance(item, _CONTAINERS)]
        if not inner:
            return ""
        level = inner
    return f"nested more than {DEEPEST} levels deep"


def _problem_of(value: Conversation) -> str:
    """The reason why JSON cannot hold the conversation. The messages of Python's encoder quote values, so they are not used."""
    return (
        _at(value, is_not_finite, "JSON has no NaN and no infinities")
        or _at(value, has_lone_surrogate, "a lone surrogate has no UTF-8")
        or _at(value, is_long_integer, f"an integer of more than {LONGEST_INTEGER} digits")
        or _at(value, _has_other_names, "the name of a member is no string")
        or _at(value, _is_no_json, "a value JSON cannot hold")
        or "a circular reference, or nesting that is too deep"
    )


def _at(value: Conversation, test: Callable[[Any], bool], reason: str) -> str:
    path = find(_tree(value), test)
    return "" if path is None else at(path, reason)


def _tree(value: Conversation) -> dict[str, Any]:
    """The members of a document, and the id and the title."""
    return {
        "id": value.id,
        "title": value.title,
        "metadata": value.metadata,
        "usage": value.usage,
        "messages": value.messages,
        **value.unknown,
    }


def _has_other_names(value: Any) -> bool:
    return isinstance(value, dict) and not all(isinstance(name, str) for name in value)


def _is_no_json(value: Any) -> bool:
    return not isinstance(value, str | int | float | dict | list | tuple | None)
