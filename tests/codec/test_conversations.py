"""Conversations: what is written, what is read, and what is refused."""

from __future__ import annotations

import copy
import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionbucket import (
    Conversation,
    InvalidArgumentError,
    MemoryBucket,
    SessionCorruptedError,
    SessionStore,
)
from sessionbucket._codec import codec_of

MESSAGES = [
    {"role": "user", "content": "Grüße"},
    {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
]
BODY = (
    '{"format":"conversation.v1","id":"c","title":"A title","metadata":{"user":7},"usage":{},"messages":[\n'
    '{"role":"user","content":"Grüße"},\n'
    '{"role":"assistant","content":[{"type":"text","text":"Hi"}]}\n'
    '],"later":[1.5]}'
).encode()

CODEC = codec_of(Conversation)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=10,
)
json_objects = st.dictionaries(st.text(st.characters(codec="utf-8")), json_values, max_size=3)


def decoded(body: bytes) -> Conversation:
    conversation: Conversation = CODEC.decode(body, key="k")
    return conversation


def refusal(body: bytes) -> str:
    with pytest.raises(SessionCorruptedError) as caught:
        decoded(body)
    return str(caught.value)


def test_a_conversation_is_written_with_a_message_a_line():
    conversation = Conversation(
        id="c", title="A title", metadata={"user": 7}, messages=MESSAGES, unknown={"later": [1.5]}
    )
    assert CODEC.encode(conversation, key="k") == BODY
    assert decoded(BODY) == conversation


def test_an_empty_conversation_is_read_and_written():
    body = CODEC.encode(Conversation(id="c"), key="k")
    assert json.loads(body) == {
        "format": "conversation.v1",
        "id": "c",
        "metadata": {},
        "usage": {},
        "messages": [],
    }
    assert decoded(body) == Conversation(id="c")


@given(
    messages=st.lists(json_objects, max_size=4),
    metadata=json_objects,
    unknown=json_objects.map(lambda members: {f"later {name}": value for name, value in members.items()}),
    title=st.none() | st.text(st.characters(codec="utf-8")),
)
def test_every_conversation_is_read_as_it_was_and_written_as_the_same_bytes(
    messages: list[Any], metadata: Any, unknown: Any, title: Any
):
    conversation = Conversation(id="c", title=title, messages=messages, metadata=metadata, unknown=unknown)
    body = CODEC.encode(conversation, key="k")
    for is_printed in (True, False):
        found = CODEC.decode(body, key="k", is_printed=is_printed)
        assert found == conversation
        assert CODEC.encode(found, key="k") == body


def test_unknown_members_survive_in_their_order():
    edited = BODY.replace(b'"later":[1.5]', b'"z": 1, "a": {"b": [null]}')
    assert list(decoded(edited).unknown) == ["z", "a"]
    assert CODEC.encode(decoded(edited), key="k").endswith(b'],"z":1,"a":{"b":[null]}}')


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b"conversation.v1", b"conversation.v2", "format"),
        (b'"format":"conversation.v1",', b"", "format"),
        (b'"id":"c",', b"", "id"),
        (b'"id":"c"', b'"id":7', "id"),
        (b'"title":"A title"', b'"title":7', "title"),
        (b'"usage":{}', b'"usage":null', "usage"),
        (b'"metadata":{"user":7}', b'"metadata":[]', "metadata"),
        (b'"role":"user","content":"Gr\xc3\xbc\xc3\x9fe"}', b'"x":1},"secret"', "messages[1]"),
        (b'"id":"c"', b'"id":"c","id":"c"', "repeated member 'id'"),
        (b"1.5", b"NaN", "later[0]"),
        (b"1.5", b"1e400", "later[0]"),
        (b"1.5", b"9" * 4301, "out of range"),
        (b"1.5", b"[" * 127 + b"]" * 127, "127 levels"),
        (b"1.5]}", b"1.5]} x", "not JSON"),
        (b"Gr\xc3\xbc", b"Gr\xc3", "UTF-8"),
    ],
)
def test_a_text_that_breaks_a_rule_is_refused(old: bytes, new: bytes, named: str):
    assert BODY.count(old) == 1
    assert named in refusal(BODY.replace(old, new))


def test_a_refusal_quotes_nothing_of_the_text():
    assert "TopSecret" not in refusal(BODY.replace(b'"id":"c"', b'"id":["TopSecret"]'))


def test_the_last_of_repeated_free_members_counts():
    assert decoded(BODY.replace(b'"user":7', b'"user":7,"user":8')).metadata == {"user": 8}


def circular() -> list[Any]:
    values: list[Any] = []
    values.append([values, values])
    return values


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (math.nan, "metadata.x: JSON has no NaN"),
        (-math.inf, "metadata.x: JSON has no NaN"),
        ("\ud800", "metadata.x: a lone surrogate"),
        ({1: 2}, "metadata.x: the name of a member"),
        ({(1, 2): 2}, "metadata.x: the name of a member"),
        (b"bytes", "metadata.x: a value JSON cannot hold"),
        pytest.param(10**4301, "metadata.x: an integer", id="long integer"),
        pytest.param(json.loads("[" * 127 + "]" * 127), "127 levels", id="deep"),
        pytest.param(circular(), "circular", id="circular"),
    ],
)
def test_a_value_that_json_cannot_hold_is_refused_and_nothing_is_written(value: Any, named: str):
    bucket = MemoryBucket()
    store = SessionStore(bucket, model=Conversation)
    with pytest.raises(InvalidArgumentError) as caught:
        store.save(Conversation(id="c", metadata={"x": value}))
    assert named in str(caught.value)
    assert "nothing was written" in str(caught.value)
    assert store.list() == []


@pytest.mark.parametrize(
    "fields",
    [{"id": 7}, {"title": 7}, {"messages": {}}, {"messages": ["text"]}, {"metadata": []}, {"usage": None}],
)
def test_a_field_of_the_wrong_type_is_refused(fields: dict[str, Any]):
    with pytest.raises(InvalidArgumentError, match=next(iter(fields))):
        Conversation(**{"id": "c", **fields})
    changed = Conversation(id="c")
    for name, value in fields.items():
        setattr(changed, name, value)
    with pytest.raises(InvalidArgumentError, match=next(iter(fields))):
        CODEC.encode(changed, key="k")


def test_unknown_may_not_have_the_name_of_a_known_member():
    with pytest.raises(InvalidArgumentError, match="'messages'"):
        CODEC.encode(Conversation(id="c", unknown={"messages": []}), key="k")


def test_copies_keep_the_version_and_equality_ignores_it():
    store = SessionStore(MemoryBucket(), model=Conversation)
    conversation = Conversation(id="c", messages=[{"role": "user"}])
    store.save(conversation)
    loaded = store.load("c")
    assert loaded == Conversation(id="c", messages=[{"role": "user"}])
    assert "version" not in repr(loaded)
    for again in (copy.deepcopy(loaded), pickle.loads(pickle.dumps(loaded))):
        assert again is not None
        again.messages.append({"role": "assistant"})
        assert store.version_of(again) == store.version_of(conversation)


def test_a_changed_conversation_conflicts_and_an_update_starts_over():
    store = SessionStore(MemoryBucket(), model=Conversation)
    store.save(Conversation(id="c"))
    store.update("c", lambda found: found.messages.append({"role": "user", "content": "Hi"}))
    found = store.load("c")
    assert found is not None
    assert found.messages == [{"role": "user", "content": "Hi"}]


def test_a_subclass_is_read_as_itself():
    class Mine(Conversation):
        pass

    store = SessionStore(MemoryBucket(), model=Mine)
    store.save(Mine(id="c"))
    assert type(store.load("c")) is Mine
