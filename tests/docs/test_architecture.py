"""The layers import downwards only, in the order in which docs/architecture.md lists them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "src" / "sessionbucket"


def rooms() -> list[list[str]]:
    """The rows of the table of rooms, each with the rooms it names."""
    page = (PROJECT / "docs" / "architecture.md").read_text()
    table = page.split("\n## The rooms\n")[1].split("\n\nInside ")[0]
    return [
        re.findall(r"`(\w+)/?`", row.split("|")[1]) for row in table.splitlines() if row.startswith("| `")
    ]


def names_on_the_page() -> set[str]:
    page = (PROJECT / "docs" / "architecture.md").read_text()
    without_drawings = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    return {name for code in re.findall(r"`([^`]+)`", without_drawings) for name in re.findall(r"\w+", code)}


def floor_of(room: str) -> int:
    return next(floor for floor, names in enumerate(rooms()) if room in names)


def imports_of(path: Path) -> Iterator[str]:
    """The rooms of this package that a file imports from, when it is loaded or later."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sessionbucket"):
            inner = node.module.removeprefix("sessionbucket").strip(".")
            yield from [inner.split(".")[0]] if inner else [alias.name for alias in node.names]


def files() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.name != "__init__.py"]


def test_every_room_is_in_the_table():
    there = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in files()}
    assert there == {room for names in rooms() for room in names}


def test_every_module_is_on_the_page():
    named_by_its_folder = set((PACKAGE / "models").glob("[!_]*.py"))
    modules = [
        path
        for path in files()
        if "_sync" not in path.parts and not path.stem.startswith("__") and path not in named_by_its_folder
    ]
    assert {path.stem for path in modules} <= names_on_the_page()


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_room_imports_only_from_those_above_it(path: Path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    outermost = floor_of(room) == len(rooms()) - 1
    for imported in imports_of(path):
        if imported[0].isupper() or imported.startswith("open_"):
            assert outermost, f"{room} uses the public names of the whole package"
        elif imported != room:
            assert floor_of(imported) <= floor_of(room), f"{room} imports {imported}"
    if room == "_async":
        assert "_sync" not in imports_of(path)
