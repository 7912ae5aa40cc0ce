"""Fields whose models load with their first value: most sessions have none, and a start of a process need not build their schemas."""

from __future__ import annotations

from functools import cached_property, partial
from importlib import import_module
from typing import Annotated, Any

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema, to_json


class LazyModel:
    """A model that is loaded by the first value of its fields. Its values are validated and printed as everywhere else."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    @cached_property
    def model(self) -> type[BaseModel]:
        """The model."""
        model: type[BaseModel] = getattr(import_module(self._module), self._name)
        model.model_rebuild()
        return model

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        lax, strict = (
            core_schema.with_info_plain_validator_function(partial(self._validated, strict=strict))
            for strict in (False, True)
        )
        return core_schema.lax_or_strict_schema(
            lax,
            strict,
            serialization=core_schema.plain_serializer_function_ser_schema(self._checked, when_used="json"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(self.model.__pydantic_core_schema__)

    def _validated(self, value: Any, info: ValidationInfo, *, strict: bool) -> Any:
        validator = self.model.__pydantic_validator__
        if info.mode != "json":
            return validator.validate_python(value, strict=strict)
        # The rules of JSON differ from those of Python: a text is a member of an enum, for instance.
        text = to_json(value, inf_nan_mode="constants")
        return validator.validate_json(text, strict=strict, by_alias=True, by_name=not strict)

    def _checked(self, value: Any) -> Any:
        if not isinstance(value, self.model):
            raise TypeError(f"no {self._name}")
        return value


def lazy_model(module: str, name: str) -> Any:
    """The annotation of a field with values of this model."""
    return Annotated[Any, LazyModel(module, name)]
