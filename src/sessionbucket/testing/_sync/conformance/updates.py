# Generated from sessionbucket/testing/_async/conformance/updates.py by scripts/generate_sync.py: do not edit.
"""Updates: a load, a change and a save, repeated after a conflict."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from sessionbucket import BaseSessionStore
from sessionbucket.errors import SessionNotFoundError
from sessionbucket.testing._concurrency.threads import at_once
from sessionbucket.testing._sync.conformance.races import Rendezvous
from sessionbucket.testing._sync.conformance.store_case import StoreCase

WRITERS = 4
TURNS = 5


class UpdateTests(StoreCase):
    """``update``, which a store has from its base class: it works where the five methods do."""

    def test_an_update_changes_what_is_stored(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))
        updated = self.store.update(self.id(), lambda session: self.add_text(session, "more"))
        assert self.texts_of(updated) == ["base", "more"], "update must return the session as saved"
        assert self.stored_texts() == ["base", "more"], "update must save the change"

    def test_the_result_of_an_update_can_be_saved_again(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))
        updated = self.store.update(self.id(), lambda session: self.add_text(session, "more"))
        self.add_text(updated, "again")
        self.store.save(updated)
        assert self.stored_texts() == ["base", "more", "again"], (
            "the session that update returns must be savable"
        )

    def test_an_update_makes_a_session_where_it_may(self) -> None:
        with pytest.raises(SessionNotFoundError):
            self.store.update(self.id(), lambda session: self.add_text(session, "more"))
        assert not self.store.exists(self.id()), "an update that raises must write nothing"
        self.store.update(
            self.id(),
            lambda session: self.add_text(session, "more"),
            create=lambda: self.new_session(self.id(), "made"),
        )
        assert self.stored_texts() == ["made", "more"], "update with create must make the session"

    def test_an_update_whose_change_raises_writes_nothing(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))

        def change(session: Any) -> None:
            self.add_text(session, "more")
            raise RuntimeError("the change broke")

        with pytest.raises(RuntimeError, match="the change broke"):
            self.store.update(self.id(), change)
        assert self.stored_texts() == ["base"], "an update whose change raises must write nothing"

    def test_an_update_starts_over_when_another_writer_was_faster(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))
        other, calls = self.open(), []

        def change(session: Any) -> None:
            calls.append(self.texts_of(session))
            if len(calls) == 1:
                other.update(self.id(), lambda theirs: self.add_text(theirs, "theirs"))
            self.add_text(session, "mine")

        self.store.update(self.id(), change)
        assert self.stored_texts() == ["base", "theirs", "mine"], (
            "an update was lost: another writer saved between this one's load and its save"
        )
        assert calls == [["base"], ["base", "theirs"]], "update must start over from a fresh load"

    def test_no_turn_is_lost_when_several_writers_update_at_once(self) -> None:
        self.store.save(self.new_session(self.id(), "base"))

        def write(store: BaseSessionStore[Any], text: str, loaded: Rendezvous) -> None:
            def change(session: Any) -> None:
                loaded.meet()  # so that all have loaded before any saves
                self.add_text(session, text)

            store.update(self.id(), change, attempts=100)

        stores = [self.open() for _ in range(WRITERS)]
        turns = min(TURNS, self.race_rounds)
        for turn in range(turns):
            loaded = Rendezvous(WRITERS)
            results = at_once(
                *(partial(write, store, f"{number}.{turn}", loaded) for number, store in enumerate(stores))
            )
            assert results == [None] * WRITERS, f"an update failed: {results}"
        texts = self.stored_texts() or []
        expected = {f"{number}.{turn}" for number in range(WRITERS) for turn in range(turns)}
        assert set(texts) == {"base", *expected}, (
            f"turns were lost: {WRITERS} writers made {len(expected)} updates, and "
            f"{sorted(expected - set(texts))} are not there"
        )
        assert len(texts) == len(set(texts)), "a turn was written twice"
