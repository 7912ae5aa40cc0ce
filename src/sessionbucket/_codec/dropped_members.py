"""Members of a text that its model ignores, so that a save of the model drops them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic.dataclasses import is_pydantic_dataclass

from sessionbucket._codec.paths import Path
from sessionbucket._codec.repeated_members import spellings


def dropped_members(value: Any, tree: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of the members in ``tree`` that ``value``, which was read from it, does not have.

    Below a member that a validator of the model converted to another type, nothing is compared.
    """
    if isinstance(value, RootModel):
        yield from dropped_members(value.root, tree, path)
    elif isinstance(tree, list):
        if isinstance(value, (list, tuple)) and len(value) == len(tree):
            for index, (item, inner) in enumerate(zip(value, tree, strict=True)):
                yield from dropped_members(item, inner, (*path, index))
    elif isinstance(tree, dict):
        members = _members(value)
        if members is None:
            return
        for name, inner in tree.items():
            if name in members:
                yield from dropped_members(members[name], inner, (*path, name))
            else:
                yield (*path, name)


def _members(value: Any) -> Mapping[str, Any] | None:
    """The members of an object by their names in JSON, or None for any other value."""
    kind: Any = type(value)
    if isinstance(value, BaseModel) or is_pydantic_dataclass(kind):
        own = {spelling: getattr(value, name) for spelling, name in _names(kind)}
        return {**(getattr(value, "__pydantic_extra__", None) or {}), **own}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return value
    return None


@cache
def _names(model: Any) -> tuple[tuple[str, str], ...]:
    """Each name of a field of a model or dataclass of pydantic in JSON, and the name of the field."""
    config = model.model_config if issubclass(model, BaseModel) else model.__pydantic_config__
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    return tuple(
        (spelling, name)
        for name, field in model.__pydantic_fields__.items()
        for spelling in (*spellings(name, field), *([name] if by_name else []))
    )
