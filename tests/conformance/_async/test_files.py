"""The store: large artifacts."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from conformance._async.conftest import Opener
from conformance.locations import FILE
from conformance.samples import session_of
from sessionbucket import AsyncSessionStore, FileNotInStoreError, InvalidArgumentError

MIB = 1 << 20
BODY = bytes(range(256)) * 9000


async def contents(store: AsyncSessionStore[Any], id: str, name: str) -> bytes:
    async with await store.open_file(id, name) as file:
        return await file.read()


@pytest.mark.parametrize("body", [b"", b"x", BODY, b"y" * (8 * MIB), b"z" * (8 * MIB + 1)], ids=len)
async def test_a_file_of_any_size_comes_back(async_store: AsyncSessionStore[Any], body: bytes):
    await async_store.put_file("s", "data.bin", body)
    async with await async_store.open_file("s", "data.bin") as file:
        assert (file.name, file.size) == ("data.bin", len(body))
        assert await file.read() == body
        assert await file.read() == b""
    [info] = await async_store.list_files("s")
    assert (info.name, info.size) == ("data.bin", len(body))


async def test_a_file_is_put_from_bytes_a_path_a_file_object_or_an_iterator(
    async_store: AsyncSessionStore[Any], tmp_path: Path
):
    path = tmp_path / "source.bin"
    path.write_bytes(BODY)

    async def chunks() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(BODY), 100_000):
            yield BODY[start : start + 100_000]
            yield b""

    sources: dict[str, Any] = {
        "bytes": BODY,
        "bytearray": bytearray(BODY),
        "memoryview": memoryview(BODY),
        "path": path,
        "text path": str(path),
        "bytesio": io.BytesIO(BODY),
        "list": [BODY[:10], b"", bytearray(BODY[10:])],
        "generator": chunks(),
    }
    with path.open("rb") as opened:
        sources["open file"] = opened
        for name, source in sources.items():
            await async_store.put_file("s", name, source)
        assert not opened.closed
    for name in sources:
        assert await contents(async_store, "s", name) == BODY, name


async def test_a_file_object_is_read_from_where_it_stands(async_store: AsyncSessionStore[Any]):
    source = io.BytesIO(b"0123456789")
    source.seek(4)
    await async_store.put_file("s", "rest", source)
    assert await contents(async_store, "s", "rest") == b"456789"


@pytest.mark.parametrize(
    "source",
    ["/no/such/file", ["text"], io.StringIO("text"), 17, [1, 2], None],
    ids=lambda source: type(source).__name__,
)
async def test_what_gives_no_bytes_is_refused_and_nothing_is_left(
    async_store: AsyncSessionStore[Any], opener: Opener, source: Any
):
    with pytest.raises(InvalidArgumentError):
        await async_store.put_file("s", "name", source)
    assert await opener.names() == []


async def test_an_old_file_stays_when_its_replacement_fails(async_store: AsyncSessionStore[Any]):
    await async_store.put_file("s", "name", b"old")

    async def failing() -> AsyncGenerator[bytes, None]:
        yield b"new"
        raise OSError("the disk of the source is gone")

    with pytest.raises(OSError, match="the disk of the source"):
        await async_store.put_file("s", "name", failing())
    assert await contents(async_store, "s", "name") == b"old"
    await async_store.put_file("s", "name", b"new")
    assert await contents(async_store, "s", "name") == b"new"


async def test_a_file_is_read_in_pieces_or_walked_through(async_store: AsyncSessionStore[Any]):
    await async_store.put_file("s", "name", BODY)
    for size in (1, 1000, MIB, 3 * MIB):
        async with await async_store.open_file("s", "name") as file:
            first, second = await file.read(size), await file.read(7)
            rest = b"".join([chunk async for chunk in file])
        assert first == BODY[:size]
        assert second == BODY[size : size + 7]
        assert first + second + rest == BODY
    async with await async_store.open_file("s", "name") as file:
        assert await file.read(0) == b""
        assert await file.read(None or -1) == BODY


async def test_a_closed_reader_gives_nothing_more(async_store: AsyncSessionStore[Any]):
    await async_store.put_file("s", "name", BODY)
    file = await async_store.open_file("s", "name")
    await file.read(5)
    await file.close()
    await file.close()
    assert await file.read() == b""
    unread = await async_store.open_file("s", "name")
    await unread.close()


async def test_a_missing_file_is_an_error_that_names_it(async_store: AsyncSessionStore[Any]):
    await async_store.save(session_of("s"))
    await async_store.put_file("s", "there", b"x")
    for id, name in (("s", "not there"), ("t", "there"), ("s", "the")):
        with pytest.raises(FileNotInStoreError) as caught:
            await async_store.open_file(id, name)
        assert (caught.value.session_id, caught.value.name) == (id, name)


async def test_files_are_listed_under_their_true_names_and_deleted_one_by_one(
    async_store: AsyncSessionStore[Any],
):
    names = ["a.png", "b/c.png", "../up", "..", ".hidden", "é", "100%", "with space"]
    for name in names:
        await async_store.put_file("s", name, name.encode())
        await async_store.put_file("s/x", name, b"of another session")
    listed = await async_store.list_files("s")
    assert sorted(info.name for info in listed) == sorted(names)
    assert {info.name: info.size for info in listed} == {name: len(name.encode()) for name in names}
    for name in names:
        assert await contents(async_store, "s", name) == name.encode()
    await async_store.delete_file("s", "b/c.png")
    await async_store.delete_file("s", "b/c.png")
    await async_store.delete_file("s", "never there")
    assert sorted(info.name for info in await async_store.list_files("s")) == sorted(set(names) - {"b/c.png"})
    assert len(await async_store.list_files("s/x")) == len(names)


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 201, "\ud800"])
async def test_a_bad_file_name_is_refused(async_store: AsyncSessionStore[Any], opener: Opener, name: str):
    with pytest.raises(InvalidArgumentError):
        await async_store.put_file("s", name, b"x")
    with pytest.raises(InvalidArgumentError):
        await async_store.open_file("s", name)
    assert await opener.names() == []


async def test_a_content_type_is_told_by_the_name_or_by_the_caller(
    async_store: AsyncSessionStore[Any], opener: Opener
):
    await async_store.put_file("s", "image.png", b"png")
    await async_store.put_file("s", "unknown", b"?")
    await async_store.put_file("s", "named.bin", b"text", content_type="text/plain")
    expected = {"image.png": "image/png", "unknown": "application/octet-stream", "named.bin": "text/plain"}
    if opener.location.kind == FILE:
        expected["named.bin"] = "application/octet-stream"  # a folder keeps no content type
    for name, kind in expected.items():
        async with await async_store.open_file("s", name) as file:
            assert file.content_type == kind


async def test_files_are_no_sessions(async_store: AsyncSessionStore[Any]):
    await async_store.put_file("s", "x.json", b"{}")
    assert await async_store.list() == []
    assert not await async_store.exists("s")
