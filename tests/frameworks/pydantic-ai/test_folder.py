"""The tools of the library know the folder of the integration."""

from __future__ import annotations

from pathlib import Path

from frameworks.folders import LONG, listed
from pydantic_ai import Agent
from pydantic_ai.conversation import Conversation
from pydantic_ai.models.test import TestModel

from sessionbucket.integrations.pydantic_ai import BucketConversationStore


async def test_conversations_are_listed_by_their_names_and_copied(tmp_path: Path):
    store = BucketConversationStore(tmp_path)
    for name in ("c", LONG):
        conversation = Conversation(conversation_id=name)
        await store.save(await Agent(TestModel()).run("x" * 300_000, conversation=conversation))
        loaded = await store.load(name)
        assert loaded is not None
        await store.save(await Agent(TestModel()).run("Go on", conversation=loaded))
    found = listed(tmp_path, "pydantic-ai")
    assert {names: info.objects > 1 for names, info in found.items()} == {("c",): True, (LONG,): True}
