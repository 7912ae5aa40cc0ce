"""The README is short, and the tables of the pages are complete."""

from __future__ import annotations

import re

import pytest

import sessionbucket
from docs.pages import DOCS, README
from sessionbucket import errors
from sessionbucket._backends.obstore.options import AZURE_CHECKS
from sessionbucket._backends.s3.options import S3_CHECKS

MOST_LINES = 250


def first_cells(page: str) -> set[str]:
    return set(re.findall(r"^\| \[?`(\w+)`", (DOCS / page).read_text(), flags=re.MULTILINE))


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= MOST_LINES


def test_the_readme_names_a3s_code_once():
    assert len(re.findall(r"\[a3s-code\]", README.read_text())) == 1
    assert len(re.findall(r"(?<![/\w])a3s-code", README.read_text())) == 1


def test_the_table_of_options_is_complete():
    assert first_cells("reference/options.md") == S3_CHECKS.keys() | AZURE_CHECKS.keys() | {"engine"}


def test_the_table_of_errors_is_complete():
    raised = {
        name
        for name, error in vars(errors).items()
        if isinstance(error, type) and issubclass(error, errors.SessionBucketError)
    }
    assert first_cells("how-to/troubleshooting.md") == raised - {"SessionBucketError", "StorageError"}


@pytest.mark.parametrize("name", sessionbucket.__all__)
def test_the_reference_has_every_public_name(name: str):
    reference = "\n".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    kind = getattr(sessionbucket, name)
    module = (
        kind.__module__
        if kind.__module__ == "sessionbucket.errors" or ".models." in kind.__module__
        else None
    )
    assert re.search(rf"^::: ({re.escape(f'sessionbucket.{name}')}|{module})$", reference, flags=re.MULTILINE)
