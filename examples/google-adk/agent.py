"""An agent of ADK whose sessions and artifacts are in a bucket or a folder. It needs no network: its model follows a script.

python agent.py URL SESSION MESSAGE
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator

from google.adk.agents import LlmAgent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.genai import types

from sessionbucket.integrations.google_adk import BucketArtifactService, BucketSessionService

APP = "echo"
USER = "user"


class ScriptedModel(BaseLlm):
    """Repeats what the user has said so far. A real agent has a model of a provider here."""

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        said = [
            part.text
            for content in llm_request.contents
            for part in content.parts or []
            if content.role == "user" and part.text
        ]
        text = f"You said: {', '.join(said)}."
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text=text)]))


async def main(url: str, session_id: str, text: str) -> None:
    sessions, artifacts = BucketSessionService(url), BucketArtifactService(url)
    where = {"app_name": APP, "user_id": USER, "session_id": session_id}
    if await sessions.get_session(**where) is None:
        await sessions.create_session(**where)
    agent = LlmAgent(name="echo", model=ScriptedModel(model="scripted"))
    runner = Runner(app_name=APP, agent=agent, session_service=sessions, artifact_service=artifacts)
    message = types.Content(role="user", parts=[types.Part(text=text)])
    async for event in runner.run_async(user_id=USER, session_id=session_id, new_message=message):
        if event.is_final_response() and event.content and event.content.parts:
            reply = event.content.parts[0].text or ""
            print(reply)
            await artifacts.save_artifact(**where, filename="last-reply.txt", artifact={"text": reply})
    await sessions.close()
    await artifacts.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
