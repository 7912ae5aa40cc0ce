"""An agent that remembers: each run of this program is a new process, and continues the session at the URL.

``python assistant.py URL session-1 "My name is Ada"``; then ``python assistant.py URL session-1 "What is my name?"``. It
works offline: a scripted model calls a tool once, and reads the names in the history. Pass your own model instead.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
from typing import Any

from agents import Agent, Runner, function_tool, set_tracing_disabled
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

from sessionbucket.integrations.openai_agents import BucketSession


@function_tool
def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


def scripted_model(text: str, history: list[Any]) -> ScriptedModel:
    """A model that counts the words of the text with the tool, and then says what it has read in the history."""
    said = [each["content"] for each in history if each.get("role") == "user"]
    names = [
        found[1] for each in [*said, text] if (found := re.search(r"my name is (\w+)", each, re.IGNORECASE))
    ]
    greeting = f"Hello {names[-1]}" if names else "Hello"
    return ScriptedModel(
        [
            ModelStep(output=[function_call("count_words", {"text": text}, call_id=f"call-{len(history)}")]),
            ModelStep(output=[assistant_message(f"{greeting}, this is turn {len(said) + 1}.")]),
        ]
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url", help="s3://bucket/prefix, file:///folder, or any other URL of a store")
    parser.add_argument("session_id")
    parser.add_argument("text")
    arguments = parser.parse_args()
    set_tracing_disabled(disabled="OPENAI_API_KEY" not in os.environ)

    session = BucketSession(arguments.session_id, arguments.url)
    model = scripted_model(arguments.text, await session.get_items())
    agent = Agent(name="Assistant", instructions="Be brief.", model=model, tools=[count_words])
    result = await Runner.run(agent, arguments.text, session=session)
    print(result.final_output)
    await session.close()


if __name__ == "__main__":
    asyncio.run(main())
