"""An agent of pydantic-ai whose conversation is in a bucket or a folder. It needs no network: its model follows a script.

python agent.py URL CONVERSATION MESSAGE
"""

from __future__ import annotations

import asyncio
import sys

from pydantic_ai import Agent
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from sessionbucket.integrations.pydantic_ai import BucketConversationStore


def reply(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    """Repeat what the user has said so far. A real agent has a model of a provider here."""
    said = [
        part.content for message in messages for part in message.parts if isinstance(part, UserPromptPart)
    ]
    return ModelResponse(parts=[TextPart(f"You said: {', '.join(map(str, said))}.")])


async def turn(store: BucketConversationStore, conversation_id: str, text: str) -> str:
    """One turn. When another worker saved the conversation in the meantime, the turn is repeated on the new version."""
    agent = Agent(FunctionModel(reply))
    while True:
        found = await store.load(conversation_id)
        conversation = found or Conversation(conversation_id=conversation_id)
        result = await agent.run(text, conversation=conversation)
        try:
            await store.save(result)
        except ConversationConflict:
            continue
        return result.output


async def main(url: str, conversation_id: str, text: str) -> None:
    store = BucketConversationStore(url)
    print(await turn(store, conversation_id, text))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
