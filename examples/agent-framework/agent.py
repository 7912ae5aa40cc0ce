"""An agent of Microsoft Agent Framework whose history is in a bucket or a folder. It needs no network: its model follows a script.

python agent.py URL SESSION MESSAGE
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from agent_framework import Agent, BaseChatClient, ChatResponse, Message

from sessionbucket.integrations.agent_framework import BucketHistoryProvider


class ScriptedClient(BaseChatClient):
    """Repeats what the user has said so far. A real agent has a client of a provider here."""

    async def _inner_get_response(
        self, *, messages: Any, options: Any, stream: bool = False, **_: Any
    ) -> ChatResponse:
        said = [message.text for message in messages if message.role == "user"]
        return ChatResponse(messages=[Message("assistant", [f"You said: {', '.join(said)}."])])


async def main(url: str, session_id: str, text: str) -> None:
    history = BucketHistoryProvider(url)
    agent = Agent(ScriptedClient(), context_providers=[history])
    reply = await agent.run(text, session=agent.create_session(session_id=session_id))
    print(reply.text)
    await history.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
