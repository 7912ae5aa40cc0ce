"""A file system in which ``A`` and ``a`` are one name: no session of another id is lost.

Most machines have none, so links imitate it: the folder of the locks and one session have two names each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.samples import session_of, texts_of
from sessionbucket import SessionConflictError, SessionCorruptedError, SessionStore, open_store

FOLDED = "'A.json' .* contains session 'a', and this file system does not distinguish the two ids"


@pytest.fixture
def folded(tmp_path: Path) -> SessionStore:
    store = open_store(tmp_path.as_uri())
    store.save(session_of("a", "mine"))
    (tmp_path / ".SESSIONBUCKET").symlink_to(".sessionbucket")
    (tmp_path / "A.json").hardlink_to(tmp_path / "a.json")
    return store


def test_a_load_of_the_other_spelling_raises_an_error_with_the_stored_id(folded: SessionStore):
    with pytest.raises(SessionCorruptedError, match="'a'"):
        folded.load("A")


def test_a_create_of_the_other_spelling_is_a_conflict(folded: SessionStore):
    with pytest.raises(SessionConflictError):
        folded.save(session_of("A"))


def test_an_overwrite_or_delete_of_the_other_spelling_is_refused(folded: SessionStore):
    with pytest.raises(SessionCorruptedError, match=FOLDED):
        folded.save(session_of("A"), overwrite=True)
    with pytest.raises(SessionCorruptedError, match=FOLDED):
        folded.delete("A")
    assert texts_of(folded.load("a")) == ["mine"]


def test_the_true_spelling_can_be_overwritten_and_deleted(folded: SessionStore):
    folded.save(session_of("a", "again"), overwrite=True)
    folded.delete("a")
    assert not folded.exists("a")


def test_a_file_system_that_distinguishes_case_keeps_both(tmp_path: Path):
    store = open_store(tmp_path.as_uri())
    for id in ("a", "A"):
        store.save(session_of(id, id), overwrite=True)
    store.delete("A")
    assert texts_of(store.load("a")) == ["a"]
