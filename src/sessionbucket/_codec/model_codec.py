"""The codec of one model or list of models."""

from __future__ import annotations

import re
from threading import Lock
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from sessionbucket._codec.paths import at, find, path_text
from sessionbucket._codec.problems import reason
from sessionbucket._codec.repeated_members import repeated_member
from sessionbucket._codec.text import (
    DEEPEST,
    LONGEST_INTEGER,
    UnreadableTextError,
    has_lone_surrogate,
    is_long_integer,
    is_not_finite,
    is_too_deep,
    may_break_a_rule,
    may_hold_a_constant,
    parse,
    starts_as_printed,
)
from sessionbucket._core.objects import DEFAULT_MAX_BYTES
from sessionbucket.errors import InvalidArgumentError, SessionCorruptedError, SessionTooLargeError
from sessionbucket.models._base import WireModel
from sessionbucket.models._scalars import ExactFloatTexts

T = TypeVar("T")

_UNPRINTABLE = (PydanticSerializationError, UnicodeEncodeError, RecursionError)
_building = Lock()
_OUR_MODELS = "sessionbucket.models."
"""The modules of models that keep unknown members."""
_UNSIGNED_EXPONENT = re.compile(rb"(?<=[0-9])e(?=[0-9]+(?:,?\n|\Z))")
# A string ends in a quote, so a line of an indented text that ends in a digit ends in a number.
_LACKS_THE_SIGN = to_json(1e16) == b"1e16"
_FIELD_OF_A_WARNING = re.compile(r"\[field_name='(\w+)'")


class ModelCodec(Generic[T]):
    """A model to JSON bytes and back: in UTF-8, indented by two spaces, without a newline at the end.

    ``type_`` is a pydantic model or a list of one. The library's own models, and subclasses of them, are read strictly, as
    docs/format.md defines it. A model of the caller's keeps its own strictness, aliases and policy for unknown members.
    Every text must be UTF-8 and JSON without NaN, infinities or repeated declared members, with at most 127 levels.

    ``max_bytes`` limits a body in both directions.
    """

    def __init__(self, type_: type[T] | Any, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._type = type_
        self._max_bytes = max_bytes
        is_model = isinstance(type_, type) and issubclass(type_, BaseModel)
        item = type_ if is_model else next(iter(get_args(type_)), None)
        self._is_ours = isinstance(item, type) and issubclass(item, WireModel)
        self._keeps_all_members = isinstance(item, type) and item.__module__.startswith(_OUR_MODELS)
        # Pydantic builds a deferred model on first use; here, by one thread at a time.
        with _building:
            if is_model:
                built: Any = type_
                built.model_rebuild()
            else:
                from pydantic import TypeAdapter  # noqa: PLC0415 (a session is a model)

                built = TypeAdapter(type_, config=ConfigDict(ser_json_inf_nan="constants"))
                built.rebuild()
            self._validator: Any = built.__pydantic_validator__ if is_model else built.validator
            self._serializer: Any = built.__pydantic_serializer__ if is_model else built.serializer

    def encode(self, value: T, *, key: str) -> bytes:
        """The body that stores ``value`` under ``key``.

        Raises ``InvalidArgumentError`` for a value that JSON or the reader of a3s-code cannot hold: NaN and
        infinities (also in a model of the caller's whose config prints them as null), lone
        surrogates, values of a wrong type that bypassed validation, and more than 127
        levels. Its message has the path, and never the value. Raises ``SessionTooLargeError`` above ``max_bytes``.
        """
        problem = None
        try:
            body = self._print(value)
        except _UNPRINTABLE as error:
            if "KeyboardInterrupt" in str(error):  # pydantic wraps one that is raised in a serializer
                raise KeyboardInterrupt from error
            problem = self._problem_of(value, error)
        else:
            if not self._is_ours or may_break_a_rule(body):
                problem = self._problem_of_text(value, body)
        if problem:
            raise InvalidArgumentError(f"{key!r} cannot be written: {problem}; nothing was written")
        if len(body) > self._max_bytes:
            raise SessionTooLargeError(key, size=len(body), limit=self._max_bytes)
        return body

    def decode(self, body: bytes, *, key: str, is_printed: bool = False) -> T:
        """The value in ``body``, which was read under ``key``. ``is_printed`` says that a codec printed the body.

        Raises ``SessionCorruptedError`` with the first error and its path, which quotes
        nothing of the body, and ``SessionTooLargeError`` above ``max_bytes``, before it parses anything.
        """
        if len(body) > self._max_bytes:
            raise SessionTooLargeError(key, size=len(body), limit=self._max_bytes)
        # Raised outside of every `except`: the errors caught here contain the text, and would be the context.
        value, problem = self._read(body, is_printed=is_printed)
        if problem:
            raise SessionCorruptedError(key, problem)
        return value

    def dropped_members(self, value: T, body: bytes) -> tuple[str, ...]:
        """The paths of the members in ``body`` that ``value``, which was read from it, does not have."""
        if self._keeps_all_members:
            return ()
        from sessionbucket._codec.dropped_members import dropped_members  # noqa: PLC0415 (builds a model of pydantic's)

        return tuple(map(path_text, dropped_members(value, from_json(body))))

    def _read(self, body: bytes, *, is_printed: bool) -> tuple[T, str | None]:
        """The value, or the problem of the text.

        Pydantic's parser accepts some texts that this codec refuses: with repeated members, NaN, numbers out of range, or too
        many levels. A text that equals the printed value has none of the first three, since the codec
        prints each member once, and a number out of range as an infinity; a scan finds the rest.
        Any other text is parsed again, by a parser that detects them all.
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
        return value, self._find_problem(body, refusal)

    def _prints_again(self, value: T, body: bytes) -> bool:
        if not starts_as_printed(body) or may_break_a_rule(body):
            return False
        try:
            return self._print(value) == body
        except _UNPRINTABLE:
            return False

    def _find_problem(self, body: bytes, refusal: ValidationError | None) -> str | None:
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
        strictly = {"strict": True, "by_alias": True, "by_name": False} if self._is_ours else {}
        value: T = self._validator.validate_json(body, **strictly)
        return value

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
            body = self._serializer.to_json(value, **options)
        body = with_signed_exponents(body)
        return exact.put_back(body) if exact else body

    def _tree(self, value: T) -> Any:
        """The value to print, as plain Python values."""
        if isinstance(value, BaseModel):
            return value.model_dump(by_alias=True, round_trip=True, warnings=False)
        return self._serializer.to_python(value, by_alias=True, round_trip=True, warnings=False)

    def _problem_of_text(self, value: T, body: bytes) -> str | None:
        if may_hold_a_constant(body) or self._may_print_null_for_a_number(value, body):
            path = find(self._tree(value), is_not_finite)
            if path is not None:
                return at(path, "JSON has no NaN and no infinities")
        if is_too_deep(body):
            return f"nested more than {DEEPEST} levels deep"
        path = find(self._tree(value), is_long_integer) if may_break_a_rule(body) else None
        return None if path is None else at(path, f"an integer of more than {LONGEST_INTEGER} digits")

    def _may_print_null_for_a_number(self, value: T, body: bytes) -> bool:
        """Whether the body may have a null in the place of a NaN: a model of the caller's prints it so by default."""
        if self._is_ours or b"null" not in body:
            return False
        try:
            return may_hold_a_constant(to_json(self._tree(value), inf_nan_mode="constants", fallback=str))
        except _UNPRINTABLE:
            return True

    def _problem_of(self, value: T, error: Exception) -> str:
        """The reason why pydantic cannot print ``value``. Its own messages quote values, so they are not used."""
        try:
            tree = self._tree(value)
            path = find(tree, has_lone_surrogate)
            if path is not None:
                return at(path, "a lone surrogate has no UTF-8")
            path = find(tree, _is_unprintable)
            if path is not None:
                return at(path, "a value JSON cannot hold")
            self._validator.validate_python(tree, by_alias=True, by_name=False)
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


def with_signed_exponents(body: bytes) -> bytes:
    """The printed text with the sign of each positive exponent, as a3s-code writes it. Some releases of pydantic leave it out."""
    return _UNSIGNED_EXPONENT.sub(b"e+", body) if _LACKS_THE_SIGN else body


def _is_unprintable(value: Any) -> bool:
    if isinstance(value, (dict, list, tuple)):
        return False
    try:
        to_json(value)
    except (PydanticSerializationError, UnicodeEncodeError):
        return True
    return False
