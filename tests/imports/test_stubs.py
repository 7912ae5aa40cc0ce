"""Each ``__init__.pyi`` has exactly the names that its ``__init__.py`` imports lazily, from the same modules."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

PACKAGES = ("sessionbucket", "sessionbucket.models", "sessionbucket.testing")


def tree_of(package: str, suffix: str) -> ast.Module:
    path = import_module(package).__file__
    assert path is not None
    return ast.parse(Path(path).with_suffix(suffix).read_text())


def lazy_names_of(package: str) -> dict[str, str]:
    """The lazy names of a package, each with its module."""
    calls = [
        node
        for node in ast.walk(tree_of(package, ".py"))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "lazy_names"
    ]
    assert len(calls) == 1
    table: dict[str, tuple[str, ...]] = ast.literal_eval(calls[0].args[1])
    pairs = [(name, f"{package}.{module}") for module, names in table.items() for name in names]
    assert len(pairs) == len(dict(pairs)), "a name is listed twice"
    return dict(pairs)


def stub_names_of(package: str) -> dict[str, str]:
    """The names that a stub exports, each with its module."""
    names: dict[str, str] = {}
    for node in tree_of(package, ".pyi").body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name, f"a stub exports {alias.name} only as itself"
                assert alias.name not in names
                names[alias.name] = str(node.module)
    return names


def all_of(package: str, suffix: str) -> list[Any]:
    for node in tree_of(package, suffix).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    pytest.fail(f"{package} has no __all__ in {suffix}")


@pytest.mark.parametrize("package", PACKAGES)
def test_the_stub_has_exactly_the_lazy_names(package: str):
    assert stub_names_of(package) == lazy_names_of(package)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_stub_has_the_same_all(package: str):
    assert all_of(package, ".pyi") == all_of(package, ".py") == import_module(package).__all__
    assert set(all_of(package, ".py")) <= lazy_names_of(package).keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_lazy_name_is_defined_in_its_module(package: str):
    for name, module in lazy_names_of(package).items():
        assert getattr(import_module(package), name) is getattr(import_module(module), name)
