"""The base of every stored type: unknown members survive, and reading is stricter than constructing."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any, ClassVar, ParamSpec, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from sessionbucket.errors import InvalidArgumentError

P = ParamSpec("P")
T = TypeVar("T")


def refusing(helper: Callable[P, T]) -> Callable[P, T]:
    """The helper, which raises ``InvalidArgumentError`` for an argument of the wrong type or value."""

    @wraps(helper)
    def refused(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return helper(*args, **kwargs)
        except (TypeError, AttributeError, ValueError, ArithmeticError) as error:
            name = f"{helper.__qualname__.rpartition('.')[0]}.{helper.__name__}"
            raise InvalidArgumentError(f"{name}: an argument is refused: {_reason(error)}") from error

    return refused


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    return str(error)


class WireModel(BaseModel):
    """A JSON object of the wire format.

    Its declared members are written in the order of their declaration. Unknown members of a later version follow, in the order
    in which they were read. Assignment validates; errors never show the value. An instance of
    a subclass in a field of the class becomes an instance of the class, and the additional fields of the subclass
    become unknown members; otherwise they would not be written.
    """

    model_config = ConfigDict(
        extra="allow",
        validate_assignment=True,
        revalidate_instances="subclass-instances",
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,
        ser_json_inf_nan="constants",
        defer_build=True,
    )


class CheckedOnReadModel(WireModel):
    """A type with fields that have defaults in Python and are required in JSON.

    ``required_on_read`` has the fields that JSON must contain. ``read_aliases`` maps an older name
    of a member to its present one; an object with both is refused.
    """

    required_on_read: ClassVar[tuple[str, ...]] = ()
    read_aliases: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="after")
    def _check_members(self, info: ValidationInfo) -> Self:
        read, unknown = self.__pydantic_fields_set__, self.__pydantic_extra__
        if info.mode == "json" and (unknown or not read.issuperset(self.required_on_read)):
            for name in self.required_on_read:
                if not self._was_read(name):
                    raise missing_member(type(self).model_fields[name].alias or name)
        if unknown:
            self._refuse_two_names_of_one_member(unknown)
        return self

    def _refuse_two_names_of_one_member(self, unknown: Mapping[str, Any]) -> None:
        for alias, name in self.read_aliases.items():
            if alias in unknown:
                raise PydanticCustomError(
                    "repeated_member",
                    "{alias} and {name} are two names of one member",
                    {"alias": repr(alias), "name": repr(name)},
                )

    def _was_read(self, name: str) -> bool:
        # Pydantic's set contains a field with an alias when an unknown member has the field's name.
        if self.__pydantic_extra__ and name in self.__pydantic_extra__:
            return self.__dict__[name] is not type(self).model_fields[name].default
        return name in self.model_fields_set


# Pydantic looks at the signature of each default factory, and parses a text for that of a class in C.


def new_list() -> list[Any]:
    """The default of a list."""
    return []


def new_dict() -> dict[Any, Any]:
    """The default of an object."""
    return {}


def missing_member(name: str) -> PydanticCustomError:
    return PydanticCustomError("missing_member", "missing member {name}", {"name": repr(name)})


# Pydantic calls these for each member of each object that it prints, so they are functions in C.
is_none: Callable[[Any], bool] = partial(operator.is_, None)
"""The rule of members that are omitted when none."""
is_empty: Callable[[Any], bool] = operator.not_
"""The rule of members that are omitted when empty."""
