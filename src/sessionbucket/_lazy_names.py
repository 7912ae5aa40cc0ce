"""Public names that are imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, names: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package, from the names in each of its modules.

    So a store in a folder never loads boto3, nor a sync store asyncio. ``__init__.pyi`` has the same names for type checkers.
    """
    module_of = {name: module for module, listed in names.items() for name in listed}

    def get(name: str) -> Any:
        module = module_of.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        imported = import_module(package)
        value = getattr(import_module(f"{package}.{module}"), name)
        setattr(imported, name, value)
        return value

    def list_names() -> list[str]:
        return sorted({*vars(import_module(package)), *module_of})

    return get, list_names
