"""The names of documents: any text as one segment, and ids whose order is reversed; and frames."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sessionbucket import (
    DocumentStore,
    InvalidArgumentError,
    MemoryBucket,
    SessionCorruptedError,
    decode_frame,
    decode_frame_header,
    encode_frame,
    encode_segment,
    newest_first,
)

texts = st.text(st.characters(exclude_categories=()), max_size=300)
blobs = st.dictionaries(st.text(max_size=5), st.tuples(st.text(max_size=5), st.binary(max_size=20)))
headers = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5))


@given(texts)
@example("")
@example(".")
@example("..")
@example("a/b")
@example("é" * 400)
@example("\0")
@example("\ud83d")
def test_any_text_is_one_segment_of_a_document_key(text: str) -> None:
    segment = encode_segment(text)
    assert re.fullmatch(r"[A-Za-z0-9\-_.~@+=,%]{1,180}", segment)
    assert segment[0] != "."
    documents = DocumentStore(MemoryBucket(), "notes")
    documents.put(f"folder/{segment}/key", b"x")
    assert list(documents.list_folders("folder/")) == [segment]


@given(texts, texts)
@example("", "%~")
@example("a" * 180, "a" * 181)
@example("é" * 100, "é" * 99 + "è")
@example("a" * 300, "a" * 100 + "%~")
@example("%2F", "/")
def test_no_two_texts_have_one_segment(one: str, other: str) -> None:
    assert (encode_segment(one) == encode_segment(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("plain-ID_1.~@+=,", "plain-ID_1.~@+=,"),
        ("", "%~"),
        (".hidden", "%2Ehidden"),
        ("a/b é%", "a%2Fb%20%C3%A9%25"),
        ("a" * 180, "a" * 180),
    ],
)
def test_a_segment_is_escaped_as_documented(text: str, segment: str) -> None:
    assert encode_segment(text) == segment


def test_a_long_segment_is_cut_before_an_escape_and_has_a_hash() -> None:
    segment = encode_segment("x" + "é" * 400)
    assert re.fullmatch(r"x(%C3%A9)*(%C3)?%~[0-9a-f]{64}", segment)
    assert len(segment) <= 180


@given(st.lists(texts, unique=True, max_size=8))
@example(["", "a", "ab", "b"])
def test_a_listing_has_the_greatest_id_first(ids: list[str]) -> None:
    def bytes_of(id: str) -> bytes:
        return id.encode("utf-8", "surrogatepass")

    assert sorted(ids, key=newest_first) == sorted(ids, key=bytes_of, reverse=True)
    assert all(re.fullmatch(r"[0-9a-f]*~", newest_first(id)) for id in ids)
    assert sorted(ids, key=lambda each: newest_first(each) + ".c") == sorted(ids, key=bytes_of, reverse=True)


@given(headers, blobs)
def test_a_frame_comes_back(header: dict[str, object], parts: dict[str, tuple[str, bytes]]) -> None:
    body = encode_frame(header, parts)
    assert body.startswith(b'{"format":1,')
    assert decode_frame(body, "key") == (header, parts)
    line = body.index(b"\n") + 1
    assert decode_frame_header(body[:line], "key") == header
    assert decode_frame_header(body[: line - 1], "key") is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "line 1 is not the first line of a frame"),
        (b"[]\n", "line 1 is not the first line"),
        (b'{"format":1}\n', "line 1 is not the first line"),
        (b'{"format":2,"header":{},"blobs":[]}\n', "its format is '2', and this release reads format 1"),
        (b'{"format":1,"header":{},"blobs":[["a","b"]]}\n', "names a blob that cannot be one"),
        (b'{"format":1,"header":{},"blobs":[["a","b",3]]}\nxx', "have 2 bytes, and its first line names 3"),
        (b'{"format":1,"header":{},"blobs":[["a","b",1]]}\nxx', "have 2 bytes, and its first line names 1"),
    ],
)
def test_a_damaged_frame_is_a_clear_error(body: bytes, reason: str) -> None:
    with pytest.raises(SessionCorruptedError, match=reason) as caught:
        decode_frame(body, "the key")
    assert caught.value.key == "the key"


def test_a_header_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="the header of a frame cannot be written"):
        encode_frame({"a": object()}, {})
