"""What every stored type shares: unknown members survive, and reading is stricter than making."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError


class WireModel(BaseModel):
    """A JSON object of the wire format.

    Members are written in the order they are declared, then the unknown ones a later version put
    there, in the order they were read. Assignment validates; errors never show the value. An instance of
    a subclass, given where a member is declared as the class, becomes the class, and what the subclass
    added is kept as unknown members: a part that prints itself as its class would leave it out.
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
    """A type whose members have defaults in Python that JSON must not rely on.

    ``required_on_read`` names the fields that JSON has to hold. ``read_aliases`` maps an older name
    of a member to its present one; an object that has both is refused.
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
        # An unknown member spelled like a field with an alias counts as that field in pydantic's set.
        if self.__pydantic_extra__ and name in self.__pydantic_extra__:
            return self.__dict__[name] is not type(self).model_fields[name].default
        return name in self.model_fields_set


def missing_member(name: str) -> PydanticCustomError:
    return PydanticCustomError("missing_member", "missing member {name}", {"name": repr(name)})


def is_none(value: Any) -> bool:
    """The rule of members that are omitted when none."""
    return value is None


def is_empty(value: Any) -> bool:
    """The rule of members that are omitted when empty."""
    return not value
