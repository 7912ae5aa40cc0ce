"""The store: files of a session."""

from __future__ import annotations

import io
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from conformance.conftest import Opener
from conformance.locations import FILE
from conformance.samples import session_of
from sessionbucket import FileNotInStoreError, InvalidArgumentError, SessionStore

MIB = 1 << 20
BODY = bytes(range(256)) * 9000


def contents(store: SessionStore[Any], id: str, name: str) -> bytes:
    with store.open_file(id, name) as file:
        return file.read()


@pytest.mark.parametrize("body", [b"", b"x", BODY, b"y" * (8 * MIB), b"z" * (8 * MIB + 1)], ids=len)
def test_a_file_of_any_size_comes_back(store: SessionStore[Any], body: bytes):
    store.put_file("s", "data.bin", body)
    with store.open_file("s", "data.bin") as file:
        assert (file.name, file.size) == ("data.bin", len(body))
        assert file.read() == body
        assert file.read() == b""
    [info] = store.list_files("s")
    assert (info.name, info.size) == ("data.bin", len(body))


def test_a_file_is_put_from_bytes_a_path_a_file_object_or_an_iterator(
    store: SessionStore[Any], tmp_path: Path
):
    path = tmp_path / "source.bin"
    path.write_bytes(BODY)

    def chunks() -> Generator[bytes, None, None]:
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
            store.put_file("s", name, source)
        assert not opened.closed
    for name in sources:
        assert contents(store, "s", name) == BODY, name


def test_a_file_object_is_read_from_its_position(store: SessionStore[Any]):
    source = io.BytesIO(b"0123456789")
    source.seek(4)
    store.put_file("s", "rest", source)
    assert contents(store, "s", "rest") == b"456789"


@pytest.mark.parametrize(
    "source",
    ["/no/such/file", ["text"], io.StringIO("text"), 17, [1, 2], None],
    ids=lambda source: type(source).__name__,
)
def test_a_source_without_bytes_is_refused_and_nothing_is_written(
    store: SessionStore[Any], opener: Opener, source: Any
):
    with pytest.raises(InvalidArgumentError):
        store.put_file("s", "name", source)
    assert opener.names() == []


def test_an_old_file_stays_when_its_replacement_fails(store: SessionStore[Any]):
    store.put_file("s", "name", b"old")

    def failing() -> Generator[bytes, None, None]:
        yield b"new"
        raise OSError("the disk of the source is gone")

    with pytest.raises(OSError, match="the disk of the source"):
        store.put_file("s", "name", failing())
    assert contents(store, "s", "name") == b"old"
    store.put_file("s", "name", b"new")
    assert contents(store, "s", "name") == b"new"


def test_a_file_is_read_in_pieces_or_iterated(store: SessionStore[Any]):
    store.put_file("s", "name", BODY)
    for size in (1, 1000, MIB, 3 * MIB):
        with store.open_file("s", "name") as file:
            first, second = file.read(size), file.read(7)
            rest = b"".join(file)
        assert first == BODY[:size]
        assert second == BODY[size : size + 7]
        assert first + second + rest == BODY
    with store.open_file("s", "name") as file:
        assert file.read(0) == b""
        assert file.read(-1) == BODY


def test_a_closed_reader_returns_no_more_bytes(store: SessionStore[Any]):
    store.put_file("s", "name", BODY)
    file = store.open_file("s", "name")
    file.read(5)
    file.close()
    file.close()
    assert file.read() == b""
    unread = store.open_file("s", "name")
    unread.close()


def test_a_missing_file_is_an_error_that_names_it(store: SessionStore[Any]):
    store.save(session_of("s"))
    store.put_file("s", "there", b"x")
    for id, name in (("s", "missing"), ("t", "there"), ("s", "the")):
        with pytest.raises(FileNotInStoreError) as caught:
            store.open_file(id, name)
        assert (caught.value.session_id, caught.value.name) == (id, name)


def test_files_are_listed_under_their_true_names_and_deleted_one_by_one(
    store: SessionStore[Any],
):
    names = ["a.png", "b/c.png", "../up", "..", ".hidden", "é", "100%", "with space"]
    for name in names:
        store.put_file("s", name, name.encode())
        store.put_file("s/x", name, b"of another session")
    listed = store.list_files("s")
    assert sorted(info.name for info in listed) == sorted(names)
    assert {info.name: info.size for info in listed} == {name: len(name.encode()) for name in names}
    for name in names:
        assert contents(store, "s", name) == name.encode()
    store.delete_file("s", "b/c.png")
    store.delete_file("s", "b/c.png")
    store.delete_file("s", "missing")
    assert sorted(info.name for info in store.list_files("s")) == sorted(set(names) - {"b/c.png"})
    assert len(store.list_files("s/x")) == len(names)


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 201, "\ud800"])
def test_a_bad_file_name_is_refused(store: SessionStore[Any], opener: Opener, name: str):
    with pytest.raises(InvalidArgumentError):
        store.put_file("s", name, b"x")
    with pytest.raises(InvalidArgumentError):
        store.open_file("s", name)
    assert opener.names() == []


def test_a_content_type_comes_from_the_name_or_the_caller(store: SessionStore[Any], opener: Opener):
    store.put_file("s", "image.png", b"png")
    store.put_file("s", "unknown", b"?")
    store.put_file("s", "named.bin", b"text", content_type="text/plain")
    expected = {"image.png": "image/png", "unknown": "application/octet-stream", "named.bin": "text/plain"}
    if opener.location.kind == FILE:
        expected["named.bin"] = "application/octet-stream"  # a folder keeps no content type
    for name, kind in expected.items():
        with store.open_file("s", name) as file:
            assert file.content_type == kind


def test_a_file_is_no_session(store: SessionStore[Any]):
    store.put_file("s", "x.json", b"{}")
    assert store.list() == []
    assert not store.exists("s")
