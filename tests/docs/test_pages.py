"""The code of the README runs, and its tables are complete."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import sessionbucket
from sessionbucket import errors
from sessionbucket._backends.obstore.options import CLOUD_OPTION_NAMES
from sessionbucket._backends.s3.options import OPTION_NAMES

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()
PAGES = [
    page
    for folder in (".", "docs", "examples/lambda", "terraform", "tests/fixtures")
    for page in sorted((PROJECT / folder).glob("*.md"))
]


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def first_cells(text: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))


def test_the_table_of_options_is_complete():
    assert first_cells(section("Options")) == OPTION_NAMES | CLOUD_OPTION_NAMES | {"engine"}


def test_the_table_of_errors_is_complete():
    raised = {
        name
        for name, error in vars(errors).items()
        if isinstance(error, type) and issubclass(error, errors.SessionBucketError)
    }
    assert first_cells(section("Errors")) == raised - {"SessionBucketError", "StorageError"}


@pytest.mark.parametrize("block", code_blocks("python"))
def test_every_block_of_code_compiles_and_imports_public_names(block: str):
    compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for names in re.findall(r"from sessionbucket import (.+)", block):
        for name in names.split(", "):
            assert name in sessionbucket.__all__


def test_the_first_example_runs_unchanged(tmp_path: Path):
    block = code_blocks("python")[0]
    assert "s3://my-bucket/agents/prod" in block
    exec(block.replace("s3://my-bucket/agents/prod", tmp_path.as_uri()), {})
    with sessionbucket.open_store(tmp_path.as_uri()) as store:
        assert [message.text for message in store.load("chat-42").messages] == ["Hello", "Hi there!"]


def test_the_lambda_example_keeps_two_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    block = next(block for block in code_blocks("python") if "def handler" in block)
    monkeypatch.setenv("SESSIONBUCKET_URL", tmp_path.as_uri())
    scope = {"call_model": lambda messages: f"reply {len(messages)}"}
    exec(block, scope)
    event = {"session_id": "s", "text": "hello"}
    assert scope["handler"](event, None) == {"reply": "reply 1"}
    assert scope["handler"](event, None) == {"reply": "reply 3"}


def anchors_of(page: Path) -> set[str]:
    """What a link can name in the page: its headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_every_link_inside_the_project_leads_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?://)([^)]+)", page.read_text()):
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors_of(there), target
