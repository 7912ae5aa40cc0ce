"""``memory://name``: one store of a process, on both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.command_line import Command
from conformance.locations import unique_name
from conformance.samples import session_of, texts_of
from sessionbucket import (
    InvalidArgumentError,
    MemoryBucket,
    SessionConflictError,
    open_async_store,
    open_documents,
    open_store,
)


@pytest.fixture
def url() -> str:
    return f"memory://{unique_name()}"


def test_stores_of_one_name_are_one_store(side: Any, url: str):
    one, other = (side.make("open_store", url) for _ in range(2))
    one.save(session_of("s", "hello"))
    assert texts_of(other.load("s")) == ["hello"]
    with pytest.raises(SessionConflictError):
        other.save(session_of("s"))
    assert one.location == other.location == url
    one.close()
    assert other.list() == ["s"]


async def test_both_sides_have_the_same_store(url: str):
    open_store(url).save(session_of("s", "hello"))
    async with open_async_store(url) as store:
        assert texts_of(await store.load("s")) == ["hello"]


def test_names_and_prefixes_are_apart(url: str):
    open_store(f"{url}/a").save(session_of("s"))
    assert open_store(f"{url}/a/").list() == ["s"]
    for other in (url, f"{url}/b", f"{url}2", "memory://"):
        assert open_store(other).list() == []


def test_a_store_without_a_name_is_new_each_time():
    open_store("memory://").save(session_of("s"))
    assert open_store("memory://").list() == []
    assert MemoryBucket().location != MemoryBucket().location


def test_documents_have_the_same_store(url: str):
    open_documents(url, "notes").put("key", b"x")
    found = open_store(url).documents("notes").get("key")
    assert found is not None
    assert found.body == b"x"


@pytest.mark.parametrize("url", ["memory://a b", "memory:///a", "memory://a?x=1", f"memory://{'a' * 101}"])
def test_a_bad_name_is_refused(url: str):
    with pytest.raises(InvalidArgumentError, match="store in memory"):
        open_store(url)


def test_the_command_line_copies_and_lists_it(url: str, tmp_path: Path):
    open_store(tmp_path).save(session_of("s", "hello"))
    command = Command()
    command.ok("cp", tmp_path.as_uri(), url)
    assert texts_of(open_store(url).load("s")) == ["hello"]
    assert command.ok("ls", "--store", url).startswith("s\t")
