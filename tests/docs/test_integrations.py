"""The pages of the integrations name exactly the versions that the tests of the frameworks run with."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from docs.pages import PROJECT

PAGES = PROJECT / "docs" / "integrations"
FRAMEWORKS: dict[str, Any] = tomllib.loads((PROJECT / "tests/frameworks/versions.toml").read_text())
EXTRAS: dict[str, list[str]] = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]


def pinned(framework: dict[str, Any]) -> dict[str, str]:
    """The distributions of a framework's environment with exact versions."""
    return dict(each.split("==") for each in framework["requirements"] if "==" in each)


def named_on(text: str, distributions: dict[str, str]) -> set[tuple[str, str]]:
    """The distributions that a text names with a version."""
    found = re.findall(r"(?<![\w-])([a-z][a-z-]*[a-z]) (\d+\.\d+[\w.]*\w)", text)
    return {(name, version) for name, version in found if name in distributions}


def rows() -> dict[str, str]:
    """The rows of the index, each by its extra."""
    lines = (PAGES / "index.md").read_text().splitlines()
    return {
        found[1]: line for line in lines if (found := re.search(r"\| `sessionbucket\[([\w-]+)\]` \|", line))
    }


def test_the_index_has_a_row_for_each_framework_that_is_tested():
    assert rows().keys() == {framework["extra"] for framework in FRAMEWORKS.values()}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_index_and_the_page_name_the_versions_that_pass(name: str):
    framework = FRAMEWORKS[name]
    versions = pinned(framework)
    own = re.split(r"[><=]", EXTRAS[framework["extra"]][0])[0]
    in_index = named_on(rows()[framework["extra"]], versions)
    assert (own, versions[own]) in in_index
    on_page = named_on((PAGES / f"{name}.md").read_text(), versions)
    assert in_index | on_page <= set(versions.items())


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_bounds_of_an_extra_begin_with_the_version_that_passes(name: str):
    framework = FRAMEWORKS[name]
    distribution, bounds = re.fullmatch(r"([\w-]+)>=(.*)", EXTRAS[framework["extra"]][0]).groups()  # type: ignore[union-attr]
    assert bounds.split(",")[0] == pinned(framework)[distribution]


def test_each_source_distribution_is_of_the_version_that_is_installed():
    for framework in FRAMEWORKS.values():
        if sdist := framework.get("sdist"):
            assert sdist in framework["requirements"]


def test_each_framework_has_tests():
    folders = {path.name for path in (PROJECT / "tests" / "frameworks").iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == FRAMEWORKS.keys()
