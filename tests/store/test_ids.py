"""Any text as a session id: its keys, and its round trip through a store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from conformance.locations import FILE, MEMORY, MOTO, Location, unique_name
from conformance.samples import session_of, texts_of
from sessionbucket import InvalidArgumentError, InvalidSessionIdError, SessionStore, open_store
from sessionbucket._core.keys import StoreKeys

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
        return StoreKeys().of_session(id).session
    except InvalidSessionIdError:
        return None


def accepted(id: str) -> bool:
    return encoded(id) is not None


@given(texts, prefixes)
@example("..", "")
@example(".json", "")
@example("a/../../b", "team")
def test_an_accepted_id_comes_back_from_its_key_and_stays_in_its_folder(id: str, prefix: str):
    assume(accepted(id))
    store_keys = StoreKeys(prefix)
    keys = store_keys.of_session(id)
    assert store_keys.session_id(keys.session) == id
    assert keys.session.startswith(store_keys.root)
    assert "/" not in keys.session.removeprefix(store_keys.root)
    assert not keys.session.removeprefix(store_keys.root).startswith(".")
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
    mine, theirs = StoreKeys().of_session(one), StoreKeys().of_session(other)
    for kind in ("session", "artifacts", "traces", "verification", "files"):
        assert getattr(mine, kind) != getattr(theirs, kind)
    assert not mine.session.startswith(theirs.artifacts_folder)


@given(texts)
def test_an_id_is_refused_only_for_the_documented_rules(id: str):
    refused = encoded(id) is None
    broken = not id or "\0" in id or any("\ud800" <= character <= "\udfff" for character in id)
    if broken:
        assert refused
    elif len(id.encode()) * 3 <= 200:
        assert not refused


@given(st.one_of(st.text(max_size=40), texts))
@example("a b%2Fc")
@example(".a%2Fb")
def test_every_object_name_decodes_to_an_id_with_that_key_or_to_itself(stem: str):
    """For the objects of other programs, too."""
    assume(stem and "/" not in stem and "\ud800" not in stem)  # no bucket lists a lone surrogate
    store_keys = StoreKeys()
    id = store_keys.session_id(f"{stem}.json")
    assert id is not None
    if accepted(id) and store_keys.of_session(id).stem != stem:
        assert id == stem


@given(texts, prefixes)
def test_the_keys_of_ids_with_a_prefix_start_with_its_key(id: str, prefix: str):
    assume(accepted(id))
    store_keys = StoreKeys(prefix)
    for cut in range(1, len(id)):
        try:
            start = store_keys.id_prefix(id[:cut])
        except InvalidArgumentError:
            continue
        assert store_keys.of_session(id).session.startswith(start)


@pytest.mark.parametrize("kind", [MEMORY, FILE, pytest.param(MOTO, marks=pytest.mark.slow)])
@settings(max_examples=10)
@given(data=st.data())
def test_a_store_lists_exactly_the_saved_ids(
    location_of: Callable[[str], Location], kind: str, data: st.DataObject
):
    # moto has no route for a key with a control character.
    usable = texts.filter(lambda text: accepted(text) and (kind != MOTO or text.isprintable()))
    ids = data.draw(st.lists(usable, unique=True, max_size=6))
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
