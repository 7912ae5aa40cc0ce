"""What the site does besides the pages: the README as its first page, links out of ``docs/``, and the reference of the commands."""

from __future__ import annotations

import posixpath
import re
import subprocess
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PROJECT = Path(__file__).parents[1]
_RELATIVE_LINK = re.compile(r"(\]\()(?!\w+:|#)([^)#\s]+)")
_HIDE_NAVIGATION = "---\nhide: [navigation]\n---\n"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Make the README the first page. Its links are relative to the project, one folder above the pages."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    content = _RELATIVE_LINK.sub(r"\g<1>../\g<2>", readme).replace("](../docs/", "](")
    files.append(File.generated(config, "index.md", content=_HIDE_NAVIGATION + content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Point links out of ``docs/`` to the repository, and append the reference of the commands."""
    if page.file.src_uri == "cli.md":
        markdown += "\n\n" + _commands()
    folder = posixpath.dirname(page.file.src_uri)

    def resolved(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[2]))
        if not path.startswith("../"):
            return link[0]
        path = path.removeprefix("../")
        kind = "tree" if (PROJECT / path).is_dir() else "blob"
        return f"{link[1]}{config.repo_url}/{kind}/main/{path}"

    return _RELATIVE_LINK.sub(resolved, markdown)


def _commands() -> str:
    command = [
        sys.executable,
        "-m",
        "typer",
        "sessionbucket.cli.app",
        "utils",
        "docs",
        "--name",
        "sessionbucket",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    return re.sub(r"^#", "##", done.stdout, flags=re.MULTILINE)
