"""Declared members that an object repeats.

In free-form JSON the last one counts, as in the reference. In an object with declared members a repetition
is an error, because two readers could use two different values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from sessionbucket._codec.paths import Path
from sessionbucket._codec.text import Repeats
from sessionbucket.models._lazy import LazyModel


def repeated_member(type_: Any, tree: Any, path: Path = ()) -> Path | None:
    """The path of the first declared member that ``tree``, read as ``type_``, repeats; None if there is none."""
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return repeated_member(_bare(type_), tree, path)
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return _in_model(type_, tree, path) if isinstance(tree, dict) else None
    if isinstance(tree, dict) and isinstance(origin, type) and issubclass(origin, dict):
        found = (repeated_member(arguments[1], value, (*path, name)) for name, value in tree.items())
    elif isinstance(tree, list) and isinstance(origin, type) and issubclass(origin, (list, tuple, set)):
        found = (repeated_member(arguments[0], item, (*path, index)) for index, item in enumerate(tree))
    else:
        return _in_union(arguments, tree, path)
    return next((place for place in found if place is not None), None)


def _in_model(model: type[BaseModel], tree: dict[str, Any], path: Path) -> Path | None:
    for name, field in model.model_fields.items():
        for spelling in spellings(name, field):
            if isinstance(tree, Repeats) and spelling in tree.repeated:
                return (*path, spelling)
            if spelling in tree:
                place = repeated_member(field.annotation, tree[spelling], (*path, spelling))
                if place is not None:
                    return place
    return None


def _in_union(choices: tuple[Any, ...], tree: Any, path: Path) -> Path | None:
    """Refuse only a repetition that every matching choice would refuse."""
    places = [repeated_member(choice, tree, path) for choice in choices if _fits(choice, tree)]
    return places[0] if places and None not in places else None


def _fits(choice: Any, tree: Any) -> bool:
    if get_origin(choice) is Annotated:
        choice = _bare(choice)
    if isinstance(choice, type) and issubclass(choice, BaseModel):
        return isinstance(tree, dict) and all(
            tree.get(name) in get_args(field.annotation)
            for name, field in choice.model_fields.items()
            if get_origin(field.annotation) is Literal
        )
    container = get_origin(choice)
    if isinstance(container, type):
        return isinstance(tree, dict if issubclass(container, dict) else list)
    return bool(get_args(choice))


def _bare(annotated: Any) -> Any:
    """The type itself, without its annotations."""
    bare, *notes = get_args(annotated)
    return next((note.model for note in notes if isinstance(note, LazyModel)), bare)


def spellings(name: str, field: FieldInfo) -> Iterator[str]:
    """The names of a field in JSON."""
    alias = field.validation_alias
    for choice in alias.choices if isinstance(alias, AliasChoices) else [alias or name]:
        first = choice.path[0] if isinstance(choice, AliasPath) else choice
        if isinstance(first, str):
            yield first
