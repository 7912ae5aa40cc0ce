"""The Python code of a page is one program. It runs twice in a row on SeaweedFS, word for word, and has strict types."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import GUIDES, PROJECT, name_of, program_of

# The pages of the integrations run in the environments of their frameworks: tests/frameworks.
PROGRAMS = {
    page: program for page in GUIDES if page.parent.name != "integrations" and (program := program_of(page))
}
FIRST_PAGES = {"README.md", "docs/quickstart.md"}
"""The pages that the fast run has, too."""
MYPY = """
[mypy]
strict = true
plugins = pydantic.mypy
[mypy-boto3.*]
ignore_missing_imports = true
"""


def is_tests(program: str) -> bool:
    return bool(re.search(r"^def test_", program, flags=re.MULTILINE))


def run_twice(program: str, folder: Path, environment: dict[str, str], python: str = sys.executable) -> None:
    file = folder / ("test_page.py" if is_tests(program) else "page.py")
    file.write_text(program)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    command = [python, "-m", "pytest", "-q", "-pno:cacheprovider"] if is_tests(program) else [python]
    for _ in range(2):
        done = subprocess.run(
            [*command, file.name], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[] if name_of(page) in FIRST_PAGES else [pytest.mark.slow])
        for page in PROGRAMS
    ],
    ids=name_of,
)
def test_the_code_of_a_page_runs_twice(page: Path, tmp_path: Path, environment: dict[str, str]):
    run_twice(PROGRAMS[page], tmp_path, environment)


@pytest.mark.slow
def test_the_code_of_all_pages_has_strict_types(tmp_path: Path):
    for page, program in PROGRAMS.items():
        module = re.sub(r"\W", "_", name_of(page))
        (tmp_path / f"{module}.py").write_text(program)
    config = tmp_path / "mypy.ini"
    config.write_text(MYPY)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--config-file",
            config,
            "--cache-dir",
            PROJECT / ".mypy_cache" / "pages",
            tmp_path,
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
