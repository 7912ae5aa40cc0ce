# Generated from sessionbucket/testing/_async/conformance/saves.py by scripts/generate_sync.py: do not edit.
"""Saves: over exactly the version that the caller has seen."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from sessionbucket import BaseSessionStore
from sessionbucket.errors import SessionConflictError
from sessionbucket.testing._concurrency.threads import at_once
from sessionbucket.testing._sync.conformance.store_case import StoreCase

WRITERS = 4


class SaveTests(StoreCase):
    """``save`` and its conflicts."""

    def loaded(self, store: BaseSessionStore[Any] | None = None) -> Any:
        """The session, loaded anew."""
        session = (store or self.store).load(self.id())
        assert session is not None, "load does not find the session that was saved"
        return session

    def test_a_session_can_be_saved_again_and_again(self) -> None:
        session = self.new_session(self.id(), "first")
        self.store.save(session)
        for text in ("second", "third"):
            self.add_text(session, text)
            self.store.save(session)
        session = self.loaded()
        self.add_text(session, "fourth")
        self.store.save(session)
        assert self.stored_texts() == ["first", "second", "third", "fourth"], (
            "a session that only its caller changes is never in conflict"
        )

    def test_a_new_session_replaces_nothing(self) -> None:
        self.store.save(self.new_session(self.id(), "first"))
        self.refused(self.new_session(self.id(), "second"), "a save of a new session over one that exists")

    def test_a_new_session_replaces_nothing_in_a_store_that_has_loaded_the_old_one(self) -> None:
        self.store.save(self.new_session(self.id(), "first"))
        self.loaded()
        self.refused(
            self.new_session(self.id(), "second"),
            "a save of a new session over one that exists (though this store has loaded it into another object)",
        )

    def test_a_save_of_a_session_that_another_store_has_changed_is_a_conflict(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))
        mine, other = self.loaded(), self.open()
        theirs = self.loaded(other)
        self.add_text(theirs, "theirs")
        other.save(theirs)
        self.add_text(mine, "mine")
        self.refused(mine, "a save of a session that was changed since it was loaded")

    def test_two_copies_in_one_store_are_two_sessions(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))
        one, other = self.loaded(), self.loaded()
        self.add_text(one, "one")
        self.store.save(one)
        self.add_text(other, "other")
        self.refused(
            other,
            "a save of a copy that was loaded before another copy was saved through the same store (what was seen belongs to "
            "the session, not to its id)",
        )

    def test_a_conflict_repeats_itself_until_the_session_is_loaded_again(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))
        mine, theirs = self.loaded(), self.loaded()
        self.add_text(theirs, "theirs")
        self.store.save(theirs)
        self.refused(mine, "a save of a session that was changed since it was loaded")
        self.refused(mine, "the same save, once more,")
        again = self.loaded()
        self.add_text(again, "mine")
        self.store.save(again)
        assert self.stored_texts() == ["base", "theirs", "mine"], "a fresh load must be savable"

    def test_a_save_of_a_session_that_was_deleted_is_a_conflict(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))
        mine = self.loaded()
        self.open().delete(self.id())
        self.add_text(mine, "mine")
        self.refused(mine, "a save of a session that was deleted since it was loaded")

    def test_a_session_that_was_deleted_and_made_again_is_another(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))
        mine, other = self.loaded(), self.open()
        other.delete(self.id())
        other.save(self.new_session(self.id(), "another life"))
        self.add_text(mine, "mine")
        self.refused(
            mine,
            "a save of a session that was deleted and made again since it was loaded (a version may not come again)",
        )

    def test_an_overwrite_replaces_any_version(self) -> None:
        self.store.save(self.new_session(self.id(), "first"), overwrite=True)
        session = self.new_session(self.id(), "second")
        self.store.save(session, overwrite=True)
        assert self.stored_texts() == ["second"], "overwrite=True must replace the session"
        self.add_text(session, "third")
        self.store.save(session)
        assert self.stored_texts() == ["second", "third"], "a session that overwrote can be saved again"

    def test_of_saves_of_one_version_at_once_one_wins(self) -> None:
        stores = [self.open() for _ in range(WRITERS)]
        self.store.save(self.new_session(self.id(), "base"))
        for _ in range(self.race_rounds):
            copies = [self.loaded(store) for store in stores]
            for number, copy in enumerate(copies):
                self.add_text(copy, f"writer {number}")
            self.race(stores, copies, "a version")

    def test_of_creates_at_once_one_wins(self) -> None:
        stores = [self.open() for _ in range(WRITERS)]
        for round_ in range(self.race_rounds):
            id = self.id(str(round_))
            copies = [self.new_session(id, f"writer {number}") for number in range(WRITERS)]
            self.race(stores, copies, "an id")

    def race(self, stores: list[BaseSessionStore[Any]], copies: list[Any], what: str) -> None:
        """Let all save at once, and fail unless exactly one wins and its body is stored."""
        results = at_once(*(partial(store.save, copy) for store, copy in zip(stores, copies, strict=True)))
        won = [copy for copy, result in zip(copies, results, strict=True) if result is None]
        odd = [result for result in results if result and not isinstance(result, SessionConflictError)]
        assert not odd, f"a writer who lost must get SessionConflictError, not {odd[0]!r}"
        assert len(won) == 1, (
            f"of {WRITERS} writers who saved {what} at the same time {len(won)} won: save is not atomic; "
            "comparing and writing must be one step"
        )
        assert self.stored_texts(won[0].id) == self.texts_of(won[0]), (
            "the session must be that of the writer who won"
        )

    def test_several_overwrites_at_once_leave_one_of_them_whole(self) -> None:
        stores = [self.open() for _ in range(WRITERS)]
        sessions = [self.new_session(self.id(), *[str(number) * 1000] * 20) for number in range(WRITERS)]
        results = at_once(
            *(
                partial(store.save, session, overwrite=True)
                for store, session in zip(stores, sessions, strict=True)
            )
        )
        assert results == [None] * WRITERS, f"an overwrite failed: {results}"
        if self.stored_texts() not in [self.texts_of(session) for session in sessions]:
            pytest.fail("several overwrites at once left a session that none of them saved")
