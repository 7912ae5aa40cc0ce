"""A user's program passes ``mypy --strict``, and its mistakes do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

PROGRAM = """
import asyncio
from pathlib import Path

import boto3
from pydantic import BaseModel
from typing_extensions import assert_type

from sessionbucket import AsyncSessionStore, SessionData, SessionStore, StoreOptions
from sessionbucket import open_async_store, open_documents, open_store


class MySession(BaseModel):
    id: str
    score: float = 0


def main(options: StoreOptions) -> None:
    with open_store(Path("/tmp/store"), fsync=False) as store:
        assert_type(store, SessionStore[SessionData])
        session = store.load("a")
        if session is not None:
            version: str | None = store.version_of(session)
            store.save(session, if_version=version)
    own = open_store("s3://bucket", model=MySession, endpoint_url="http://localhost:8333", region="eu-north-1")
    assert_type(own, SessionStore[MySession])
    open_store("s3://bucket", session=boto3.Session(), max_attempts=3, conditional_writes="trusted")
    open_store("s3://bucket", **StoreOptions(region="us-east-1", engine="obstore"))
    open_store("s3://bucket", **options)
    open_documents("memory://", "mine")


async def main_async() -> None:
    async with open_async_store("s3://bucket", model=MySession, read_timeout=2.5) as store:
        assert_type(store, AsyncSessionStore[MySession])
        await store.update("a", lambda session: None, create=lambda: MySession(id="a"))


asyncio.run(main_async())
"""
MISTAKES = {
    'open_store("s3://bucket", zone="eu-north-1")': "zone",
    'open_store("s3://bucket", max_attempts="3")': "max_attempts",
    'open_store("s3://bucket", conditional_writes="maybe")': "conditional_writes",
    "open_store(5)": "No overload variant",
}


def mypy(program: str, folder: Path) -> str:
    path = folder / "program.py"
    path.write_text(program)
    config = folder / "mypy.ini"
    config.write_text("[mypy]\n[mypy-boto3.*]\nignore_missing_imports = True\n")
    output, errors, _ = api.run(
        ["--strict", "--config-file", str(config), "--cache-dir", str(folder), str(path)]
    )
    return output + errors


@pytest.mark.slow
def test_a_program_with_options_as_arguments_passes_mypy_strict(tmp_path: Path):
    assert "Success" in mypy(PROGRAM, tmp_path)


@pytest.mark.slow
def test_mypy_finds_mistakes_in_options(tmp_path: Path):
    program = "from sessionbucket import open_store\n" + "\n".join(MISTAKES) + "\n"
    found = mypy(program, tmp_path)
    lines = {line.split(":")[1] for line in found.splitlines() if ": error:" in line}
    assert lines == {str(number) for number in range(2, 2 + len(MISTAKES))}, found
    for named in MISTAKES.values():
        assert named in found
