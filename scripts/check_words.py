"""Checks the words of the project with codespell: its own dictionary, and ``forbidden_words.txt`` beside this script.

An entry of ``forbidden_words.txt`` is a word, an identifier or a phrase, and its replacement. An entry that ends in ``(`` is a class,
and matches with a capital only. CONTRIBUTING.md has the glossary, which is exempt.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FORBIDDEN = Path(__file__).with_name("forbidden_words.txt")
CHECKED = (
    "src",
    "docs",
    "tests",
    "examples",
    "benchmarks",
    "terraform",
    "scripts",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "mkdocs.yml",
    "CHANGELOG.md",
    "Makefile",
)
WORD = r"[\w'-]+"


def pattern(entries: list[str]) -> str:
    """A pattern of everything that codespell looks up: the phrases, and every word."""
    phrases = [re.escape(entry) for entry in entries if not re.fullmatch(WORD, entry) and entry[-1] != "("]
    classes = [re.escape(entry.capitalize()) for entry in entries if entry[-1] == "("]
    return rf"(?<!\w)(?:{'|'.join(classes)}|(?i:{'|'.join(phrases)}))|{WORD}"


def main() -> int:
    entries = [line.partition("->")[0] for line in FORBIDDEN.read_text().splitlines()]
    command = ["codespell", "--dictionary", "-", "--dictionary", str(FORBIDDEN), "--regex", pattern(entries)]
    return subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:], *CHECKED], cwd=PROJECT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
