"""Any text as a session id: its keys, and what becomes of it in a store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from conformance.locations import FILE, MEMORY, MOTO, Location, unique_name
from conformance.samples import session_of, texts_of
from sessionbucket import InvalidArgumentError, InvalidSessionIdError, SessionStore, open_store
from sessionbucket._core.keys import Layout

PIECES = [
    "/",
    "\\",
    "..",
    ".",
    "%",
    "%2F",
    "%41",
    "_",
    ":",
    "~",
    "é",
    "😀",
    "json",
    "artifacts",
    "\x00",
    "\ud800",
    " ",
]
texts = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
prefixes = st.sampled_from(["", "team", "team/ünï"])


def encoded(id: str) -> str | None:
    try:
        return Layout().keys(id).session
    except InvalidSessionIdError:
        return None


def accepted(id: str) -> bool:
    return encoded(id) is not None


@given(texts, prefixes)
@example("..", "")
@example(".json", "")
@example("a/../../b", "team")
def test_an_accepted_id_comes_back_from_its_key_and_leaves_no_folder(id: str, prefix: str):
    assume(accepted(id))
    layout = Layout(prefix)
    keys = layout.keys(id)
    assert layout.session_id(keys.session) == id
    assert keys.session.startswith(layout.root)
    assert "/" not in keys.session.removeprefix(layout.root)
    assert not keys.session.removeprefix(layout.root).startswith(".")
    for key in (keys.session, keys.artifacts, keys.traces, keys.verification, keys.file(id)):
        assert all(segment not in ("", ".", "..") for segment in key.split("/"))
        assert key.isascii() or prefix
        assert len(key.encode()) <= 1024
    assert keys.file_name(keys.file(id)) == id


@given(texts, texts)
@example("a/b", "a%2Fb")
@example("a/b", "a_b")
@example(".", "%2E")
def test_different_ids_have_different_keys(one: str, other: str):
    assume(one != other and accepted(one) and accepted(other))
    mine, theirs = Layout().keys(one), Layout().keys(other)
    for kind in ("session", "artifacts", "traces", "verification", "files"):
        assert getattr(mine, kind) != getattr(theirs, kind)
    assert not mine.session.startswith(theirs.artifacts_folder)


@given(texts)
def test_an_id_is_refused_for_the_rules_that_are_written_down_and_no_others(id: str):
    refused = encoded(id) is None
    broken = not id or "\0" in id or any("\ud800" <= character <= "\udfff" for character in id)
    if broken:
        assert refused
    elif len(id.encode()) * 3 <= 200:
        assert not refused


@given(st.text(max_size=40))
def test_every_name_of_a_file_is_an_id_that_is_written_down_or_stands_for_itself(stem: str):
    """What another program left: its id, if it has one of its own, has that very key."""
    assume(stem and "/" not in stem)
    layout = Layout()
    id = layout.session_id(f"{stem}.json")
    assert id is not None
    if accepted(id) and layout.keys(id).stem != stem:
        assert id == stem


@given(texts, prefixes)
def test_the_keys_of_ids_with_a_prefix_start_with_its_key(id: str, prefix: str):
    assume(accepted(id))
    layout = Layout(prefix)
    for cut in range(1, len(id)):
        try:
            start = layout.id_prefix(id[:cut])
        except InvalidArgumentError:
            continue
        assert layout.keys(id).session.startswith(start)


@pytest.mark.parametrize("kind", [MEMORY, FILE, MOTO])
@settings(max_examples=10)
@given(data=st.data())
def test_a_store_lists_exactly_the_ids_that_were_saved(
    location_of: Callable[[str], Location], kind: str, data: st.DataObject
):
    ids = data.draw(st.lists(texts.filter(accepted), unique=True, max_size=6))
    location = location_of(kind)
    with open_store(location.url()) as opened:
        store = (
            opened if kind == MEMORY else SessionStore(opened.bucket, f"{location.prefix}/{unique_name()}")
        )
        for id in ids:
            store.save(session_of(id, f"I am {id!r}"))
        assert set(store.list()) == set(ids)
        assert len(store.list()) == len(ids)
        for id in ids:
            assert texts_of(store.load(id)) == [f"I am {id!r}"]
            store.delete(id)
        assert store.list() == []
    if kind == FILE:
        outside = [path for path in location.root.parent.rglob("*.json") if location.root not in path.parents]
        assert outside == []
