"""The pages of the project: their code, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

PROJECT = Path(__file__).parents[2]
README = PROJECT / "README.md"
DOCS = PROJECT / "docs"
GUIDES = [README, *sorted(DOCS.rglob("*.md"))]
"""The pages for users, whose code runs."""
PAGES = GUIDES + [
    page
    for folder in (".", "examples/lambda", "terraform", "tests/fixtures")
    for page in sorted((PROJECT / folder).glob("*.md"))
    if page != README
]

_markdown = MarkdownIt("commonmark").enable("table")


def name_of(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


def _tokens(page: Path) -> Iterator[Token]:
    for token in _markdown.parse(page.read_text()):
        yield token
        yield from token.children or ()


def program_of(page: Path) -> str:
    """The blocks of Python as one program, each line where the page has it. Empty without such a block."""
    lines: list[str] = []
    for token in _tokens(page):
        if token.type == "fence" and token.info.partition(" ")[0] == "python" and token.map:
            lines += [""] * (token.map[0] + 1 - len(lines))
            lines += token.content.splitlines()
    return "".join(f"{line}\n" for line in lines)


def blocks_of(page: Path, language: str) -> list[str]:
    return [token.content for token in _tokens(page) if token.type == "fence" and token.info == language]


def links_of(page: Path) -> list[str]:
    """The targets of all links and pictures."""
    return [
        str(token.attrs["href" if token.type == "link_open" else "src"])
        for token in _tokens(page)
        if token.type in {"link_open", "image"}
    ]


def linked_pages(page: Path) -> set[Path]:
    """The pages of the project that the page links."""
    paths = [link.partition("#")[0] for link in links_of(page) if not re.match(r"\w+:", link)]
    return {(page.parent / path).resolve() for path in paths if path.endswith(".md")}


def anchors_of(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
