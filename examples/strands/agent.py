"""An agent of Strands whose session is in a bucket or a folder. It needs no network: its model follows a script.

python agent.py URL SESSION MESSAGE
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

from strands import Agent
from strands.models import Model
from strands.session.snapshot_session_manager import SnapshotSessionManager

from sessionbucket.integrations.strands import BucketStorage


class ScriptedModel(Model):
    """Repeats what the user has said so far. A real agent has a model of a provider here."""

    def update_config(self, **model_config: Any) -> None:
        pass

    def get_config(self) -> Any:
        return {}

    async def structured_output(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        raise NotImplementedError
        yield

    async def stream(self, messages: list[Any], *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        said = [message["content"][0]["text"] for message in messages if message["role"] == "user"]
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockDelta": {"delta": {"text": f"You said: {', '.join(said)}."}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn"}}


async def main(url: str, session_id: str, text: str) -> None:
    storage = BucketStorage(url)
    manager = SnapshotSessionManager(session_id, storage=storage)
    agent = Agent(model=ScriptedModel(), agent_id="echo", session_manager=manager, callback_handler=None)
    result = await agent.invoke_async(text)
    print(str(result).strip())
    await storage.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
