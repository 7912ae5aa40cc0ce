"""The codec: one model or list of models, to bytes and back."""

from __future__ import annotations

import re
from threading import Lock
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from sessionbucket._codec.paths import at, find
from sessionbucket._codec.problems import reason
from sessionbucket._codec.repeats import repeated_member
from sessionbucket._codec.scan import (
    DEEPEST,
    LONGEST_INTEGER,
    is_too_deep,
    may_be_printed,
    may_hold_a_constant,
    may_hold_a_long_integer,
)
from sessionbucket._codec.text import UnreadableTextError, is_not_finite, parse
from sessionbucket.errors import InvalidArgumentError, SessionCorruptedError, SessionTooLargeError
from sessionbucket.models._base import WireModel
from sessionbucket.models._numbers import ExactFloatTexts

T = TypeVar("T")

DEFAULT_MAX_BYTES = 256 * 1024 * 1024

_UNPRINTABLE = (PydanticSerializationError, UnicodeEncodeError, RecursionError)
_building = Lock()
_FIELD_OF_A_WARNING = re.compile(r"\[field_name='(\w+)'")


class Codec(Generic[T]):
    """Model <-> JSON bytes, in UTF-8, indented by two spaces, with no newline at the end.

    ``type_`` is a pydantic model or a list of one. This package's own models, and subclasses of them,
    are read strictly: what docs/format.md calls an error is one. A model of the caller's own keeps
    its strictness, its aliases and its policy for unknown members; of it this class asks only what it
    asks of every text: UTF-8, JSON without NaN, infinities or repeated declared members, and at most 127
    levels.

    ``max_bytes`` caps a body on both ways.
    """

    def __init__(self, type_: type[T] | Any, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._type = type_
        self._max_bytes = max_bytes
        is_model = isinstance(type_, type) and issubclass(type_, BaseModel)
        item = type_ if is_model else next(iter(get_args(type_)), None)
        self._is_ours = isinstance(item, type) and issubclass(item, WireModel)
        config = None if is_model else ConfigDict(ser_json_inf_nan="constants")
        # Pydantic builds a deferred model on first use; here, by one thread at a time.
        with _building:
            self._adapter: TypeAdapter[T] = TypeAdapter(type_, config=config)
            self._adapter.rebuild()

    def encode(self, value: T, *, key: str) -> bytes:
        """The body that stores ``value`` under ``key``.

        Raises `InvalidArgumentError` for what JSON or the reference's reader cannot hold: NaN and
        infinities (in a model of the caller's own too, even if its config prints them as null), lone
        surrogates, values of a wrong type that were put in behind the validation, and more than 127
        levels. It names the path, and never the value. Raises `SessionTooLargeError` above ``max_bytes``.
        """
        problem = None
        try:
            body = self._print(value)
        except _UNPRINTABLE as error:
            problem = self._problem_of(value, error)
        else:
            problem = self._problem_of_text(value, body)
        if problem:
            raise InvalidArgumentError(f"{key!r} cannot be written: {problem}; nothing was written")
        if len(body) > self._max_bytes:
            raise SessionTooLargeError(key, size=len(body), limit=self._max_bytes)
        return body

    def decode(self, body: bytes, *, key: str, is_printed: bool = False) -> T:
        """The value that ``body``, read under ``key``, holds. ``is_printed`` says that a codec surely printed it.

        Raises `SessionCorruptedError` whose reason names the first thing wrong and its path, and quotes
        nothing of the body's text; `SessionTooLargeError`, before anything is parsed, above ``max_bytes``.
        """
        if len(body) > self._max_bytes:
            raise SessionTooLargeError(key, size=len(body), limit=self._max_bytes)
        # Raised outside of every `except`: the errors caught here hold the text, and would be the context.
        value, problem = self._read(body, is_printed=is_printed)
        if problem:
            raise SessionCorruptedError(key, problem)
        return value

    def _read(self, body: bytes, *, is_printed: bool) -> tuple[T, str | None]:
        """The value, or what is wrong with the text.

        Pydantic's parser takes some of what this codec refuses: repeated members, NaN, numbers out of range, too
        many levels. A text that the value prints again, byte for byte, has none of the first three, since what
        is printed names each member once and a number out of range as an infinity; a look at it finds the rest.
        Any other text is parsed once more, by a parser that sees and names them all.
        """
        value: Any = None
        refusal = None
        try:
            value = self._validate(body)
        except ValidationError as error:
            refusal = error
        else:
            if is_printed or self._prints_again(value, body):
                return value, None
        return value, self._problem_on_a_closer_look(body, refusal)

    def _prints_again(self, value: T, body: bytes) -> bool:
        if not may_be_printed(body) or may_hold_a_constant(body) or is_too_deep(body):
            return False
        try:
            return self._print(value) == body
        except _UNPRINTABLE:
            return False

    def _problem_on_a_closer_look(self, body: bytes, refusal: ValidationError | None) -> str | None:
        try:
            document = parse(body)
        except UnreadableTextError as error:
            return str(error)
        if refusal:
            return reason(refusal, document.tree)
        if document.has_repeats:
            path = repeated_member(self._type, document.tree)
            if path:
                return at(path[:-1], f"repeated member {str(path[-1])!r}")
        return None

    def _validate(self, body: bytes) -> T:
        if self._is_ours:
            return self._adapter.validate_json(body, strict=True, by_alias=True, by_name=False)
        return self._adapter.validate_json(body)

    def _print(self, value: T) -> bytes:
        exact = ExactFloatTexts() if self._is_ours else None
        options: dict[str, Any] = {
            "indent": 2,
            "by_alias": True,
            "round_trip": True,
            "warnings": "error",
            "context": exact,
        }
        # A model prints itself, so that an instance of a subclass keeps the members it adds.
        if isinstance(value, BaseModel) and isinstance(self._type, type) and isinstance(value, self._type):
            body = value.__pydantic_serializer__.to_json(value, **options)
        else:
            body = self._adapter.dump_json(value, **options)
        return exact.put_back(body) if exact else body

    def _tree(self, value: T) -> Any:
        """What is about to be printed, as plain Python values."""
        if isinstance(value, BaseModel):
            return value.model_dump(by_alias=True, round_trip=True, warnings=False)
        return self._adapter.dump_python(value, by_alias=True, round_trip=True, warnings=False)

    def _problem_of_text(self, value: T, body: bytes) -> str | None:
        if may_hold_a_constant(body) or self._may_print_null_for_a_number(value, body):
            path = find(self._tree(value), is_not_finite)
            if path is not None:
                return at(path, "JSON has no NaN and no infinities")
        if is_too_deep(body):
            return f"nested more than {DEEPEST} levels deep"
        return self._long_integer(value) if may_hold_a_long_integer(body) else None

    def _may_print_null_for_a_number(self, value: T, body: bytes) -> bool:
        """A model of the caller's own prints NaN as null, unless its config says otherwise."""
        if self._is_ours or b"null" not in body:
            return False
        try:
            return may_hold_a_constant(to_json(self._tree(value), inf_nan_mode="constants", fallback=str))
        except _UNPRINTABLE:
            return True

    def _long_integer(self, value: T) -> str | None:
        path = find(self._tree(value), _is_long_integer)
        return None if path is None else at(path, f"an integer of more than {LONGEST_INTEGER} digits")

    def _problem_of(self, value: T, error: Exception) -> str:
        """Why pydantic would not print ``value``; its own words quote values, so they are not used."""
        try:
            tree = self._tree(value)
            path = find(tree, _has_lone_surrogate)
            if path is not None:
                return at(path, "a lone surrogate has no UTF-8")
            path = find(tree, _is_unprintable)
            if path is not None:
                return at(path, "a value JSON cannot hold")
            self._adapter.validate_python(tree, by_alias=True, by_name=False)
        except ValidationError as refusal:
            return reason(refusal, tree)
        except (ValueError, TypeError, RecursionError):
            return "a circular reference, or nesting that is too deep"
        field = _FIELD_OF_A_WARNING.search(str(error))
        return (
            f"{field[1]!r} holds a value of the wrong type"
            if field
            else "a circular reference, or nesting that is too deep"
        )


def _has_lone_surrogate(value: Any) -> bool:
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def _is_long_integer(value: Any) -> bool:
    return isinstance(value, int) and abs(value) >= 10**LONGEST_INTEGER


def _is_unprintable(value: Any) -> bool:
    if isinstance(value, (dict, list, tuple)):
        return False
    try:
        to_json(value)
    except (PydanticSerializationError, UnicodeEncodeError):
        return True
    return False
