"""The store does what ``InMemoryConversationStore`` does, step by step, for any sequence of calls."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict, ConversationStore, InMemoryConversationStore
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelRequest, UserPromptPart

from sessionbucket.integrations.pydantic_ai import BucketConversationStore

IDS = st.sampled_from(["a", "b/c", "d"])
SCOPES = st.sampled_from([None, "alice", "bob"])
COUNTS = st.integers(-1, 6)
LARGE = "x" * 140_000  # the third of these seals the first

Pair = list[Any]
"""The same thing from the store in memory and from ours."""


def contents(conversation: Conversation) -> list[Any]:
    return [part.content for message in conversation.messages for part in message.parts]


class Parity(RuleBasedStateMachine):
    conversations = Bundle("conversations")

    def __init__(self) -> None:
        super().__init__()
        self.url = f"memory://{uuid4().hex}"
        self.loop = asyncio.new_event_loop()
        self.model = InMemoryConversationStore()
        self.stores = [BucketConversationStore(self.url) for _ in range(2)]
        self.entries: list[Pair] = []

    def both(self, worker: int, call: Any) -> Pair:
        """The results of a call on both, which raises the same error on both or none."""
        results, errors = [], []
        for number, store in enumerate((self.model, self.stores[worker])):
            try:
                results.append(self.loop.run_until_complete(call(number, store)))
                errors.append(None)
            except (ConversationConflict, UserError, LookupError) as error:
                results.append(None)
                errors.append(type(error))
        assert errors[0] == errors[1]
        return results

    @rule(target=conversations, id=IDS)
    def start(self, id: str) -> Pair:
        return [Conversation(conversation_id=id) for _ in range(2)]

    @rule(target=conversations, id=IDS, worker=st.integers(0, 1), limit=st.none() | COUNTS, scope=SCOPES)
    def load(self, id: str, worker: int, limit: int | None, scope: str | None) -> Pair:
        loaded = self.both(worker, lambda _, store: store.load(id, limit=limit, scope=scope))
        self.check_same(loaded)
        return loaded if loaded[0] else self.start(id)

    @rule(pair=conversations, text=st.text(max_size=3), large=st.booleans())
    def add(self, pair: Pair, text: str, large: bool) -> None:
        message = ModelRequest(parts=[UserPromptPart(text + LARGE if large else text)])
        for conversation in pair:
            conversation.messages.append(message)

    @rule(pair=conversations, at=st.integers(0, 5))
    def rewrite(self, pair: Pair, at: int) -> None:
        message = ModelRequest(parts=[UserPromptPart(f"rewritten {uuid4()}")])
        for conversation in pair:
            conversation.messages[at:] = [message]

    @rule(pair=conversations, worker=st.integers(0, 1), scope=SCOPES)
    def save(self, pair: Pair, worker: int, scope: str | None) -> None:
        saved = self.both(worker, lambda number, store: store.save(pair[number], scope=scope))
        if saved[0] is not None:
            assert [entry.message for entry in saved[0]] == [entry.message for entry in saved[1]]
            self.entries += [[old.id, new.id] for old, new in zip(*saved, strict=True)]

    @rule(target=conversations, pair=conversations, at=COUNTS, worker=st.integers(0, 1), scope=SCOPES)
    def branch(self, pair: Pair, at: int, worker: int, scope: str | None) -> Pair:
        def call(number: int, store: ConversationStore) -> Coroutine[Any, Any, Conversation]:
            old = pair[number]
            return store.branch(old.conversation_id, at=at, expected_revision=old.revision, scope=scope)

        branched = self.both(worker, call)
        self.check_same(branched)
        return branched if branched[0] else pair

    @rule(pair=conversations, entry=st.integers(0, 100), worker=st.integers(0, 1))
    def branch_back(self, pair: Pair, entry: int, worker: int) -> None:
        if self.entries:
            ids = self.entries[entry % len(self.entries)]

            def call(number: int, store: ConversationStore) -> Coroutine[Any, Any, Conversation]:
                old = pair[number]
                return store.branch(
                    old.conversation_id, from_entry=ids[number], expected_revision=old.revision
                )

            self.check_same(self.both(worker, call))

    @rule(
        target=conversations, id=IDS, new=IDS, at=st.none() | COUNTS, worker=st.integers(0, 1), scope=SCOPES
    )
    def fork(self, id: str, new: str, at: int | None, worker: int, scope: str | None) -> Pair:
        forked = self.both(
            worker, lambda _, store: store.fork(id, at=at, new_conversation_id=new, scope=scope)
        )
        self.check_same(forked)
        return forked if forked[0] else self.start(new)

    @rule(id=IDS, worker=st.integers(0, 1), scope=SCOPES)
    def delete(self, id: str, worker: int, scope: str | None) -> None:
        self.both(worker, lambda _, store: store.delete(id, scope=scope))

    @rule(entry=st.integers(0, 100), worker=st.integers(0, 1))
    def read_entry(self, entry: int, worker: int) -> None:
        if self.entries:
            ids = self.entries[entry % len(self.entries)]
            found = self.both(worker, lambda number, store: store.read_entry(ids[number]))
            assert not found[0] or found[0].message == found[1].message

    @invariant()
    def both_list_the_same(self) -> None:
        for worker in range(2):
            lists = self.both(worker, lambda _, store: store.list_conversations())
            rows = [
                [
                    (each.conversation_id, each.scope, each.forked_from, len(each.branches), each.usage)
                    for each in found
                ]
                for found in lists
            ]
            assert rows[0] == rows[1]

    def check_same(self, pair: Pair) -> None:
        if pair[0] is not None:
            assert contents(pair[0]) == contents(pair[1])
            assert pair[0].new_message_index == pair[1].new_message_index

    def teardown(self) -> None:
        for name in ("a", "b/c", "d"):
            self.check_same(self.both(0, lambda _, store, name=name: store.load(name)))
        self.loop.close()


TestParity = Parity.TestCase
TestParity.settings = settings(max_examples=60, stateful_step_count=30)
