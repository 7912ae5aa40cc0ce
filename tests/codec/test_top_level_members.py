"""The members of an object as texts: they are those of the document, byte for byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionbucket._codec.text import UnreadableTextError
from sessionbucket._codec.top_level_members import top_level_members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.booleans())
def test_each_member_has_the_text_of_a_document_of_its_own(document, escapes):
    text = json.dumps(document, indent=2, ensure_ascii=escapes)
    expected = {
        name: json.dumps(value, indent=2, ensure_ascii=escapes).encode("utf-8", "surrogatepass")
        for name, value in document.items()
    }
    assert top_level_members(text.encode("utf-8", "surrogatepass")) == expected


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_the_layout_of_the_document_does_not_matter(document):
    for text in (
        json.dumps(document),
        json.dumps(document, separators=(",", ":")),
        f" \r\n\t{json.dumps(document)} \n",
    ):
        found = top_level_members(text.encode())
        assert {name: json.loads(body) for name, body in found.items()} == document


def test_numbers_keep_their_text():
    assert top_level_members(b'{"a": 1e400, "b": 1.50, "c": -0}') == {"a": b"1e400", "b": b"1.50", "c": b"-0"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"1",
        b"{",
        b'{"a"',
        b'{"a":',
        b'{"a": 1',
        b'{"a": 1,',
        b'{"a": 1,}',
        b'{, "a": 1}',
        b'{"a": 1 "b": 2}',
        b'{"a" 1}',
        b"{1: 2}",
        b'{"a": 1} x',
        b'{"a": 1}}',
        b'{"a": 1, "a": 2}',
        b'{"a": \xff}',
        b"\xef\xbb\xbf{}",
        b'{"a": ' + b"[" * 100_000,
    ],
)
def test_anything_but_one_object_is_refused(body):
    with pytest.raises(UnreadableTextError):
        top_level_members(body)
