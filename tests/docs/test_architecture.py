"""docs/architecture.md shows the tree as it is. The layers are contracts of import-linter, in ``make lint``."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "src" / "sessionbucket"
DEPTH = 2
COLLAPSED = "_sync"


def shown() -> list[tuple[int, str, str]]:
    """The depth, name and explanation of each row in the page's tree."""
    page = (PROJECT / "docs" / "architecture.md").read_text()
    drawing = page.split("\n## The tree\n")[1].split("```")[1]
    rows = [re.fullmatch(r"(.*?)[├└]── (\S+) *(.*)", line) for line in drawing.splitlines()]
    return [(len(row[1]) // 4, row[2], row[3]) for row in rows if row]


def existing(folder: Path, depth: int = 1) -> list[tuple[int, str]]:
    """The depth and name of each file and folder, in the order of ``tree -L 3 src``."""
    found: list[tuple[int, str]] = []
    for path in sorted(folder.iterdir()):
        if path.name != "__pycache__":
            found.append((depth, path.name))
            if path.is_dir() and depth < DEPTH and path.name != COLLAPSED:
                found += existing(path, depth + 1)
    return found


def test_the_page_shows_the_tree():
    assert [(depth, name) for depth, name, _ in shown()] == [(0, "sessionbucket"), *existing(PACKAGE)]


def test_the_page_explains_every_module():
    unexplained = [name for depth, name, explanation in shown() if depth and not explanation]
    assert set(unexplained) <= {"__init__.py"}
