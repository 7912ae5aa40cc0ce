"""Every link of a page leads to an existing file and heading, and every page is found from the README."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docs.pages import DOCS, GUIDES, PAGES, PROJECT, README, anchors_of, linked_pages, links_of, name_of

URLS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["urls"]
CLICKS = 2


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_inside_the_project_leads_to_a_file_and_a_heading(page: Path):
    for link in links_of(page):
        if not urlsplit(link).scheme:
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_to_the_outside_is_a_complete_url(page: Path):
    for link in links_of(page):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
            assert "." in parts.netloc, link
            assert " " not in link


def test_every_page_for_users_is_two_clicks_from_the_readme():
    found = {README}
    for _ in range(CLICKS):
        found |= {target for page in found if page.suffix == ".md" for target in linked_pages(page)}
    reference = set((DOCS / "reference").glob("*.md"))  # the site's navigation shows it
    assert set(GUIDES) - found - reference == set()


@pytest.mark.parametrize(
    "file",
    ["pyproject.toml", "mkdocs.yml", "SECURITY.md", "CONTRIBUTING.md", ".github/ISSUE_TEMPLATE/config.yml"],
)
def test_the_project_has_one_address(file: str):
    repository = URLS["Source"].removeprefix("https://github.com/")
    found = re.findall(r"https://(?:raw\.)?github[a-z]*\.com/([\w-]+/[\w-]+)", (PROJECT / file).read_text())
    assert {name for name in found if "sessionbucket" in name} <= {repository}
